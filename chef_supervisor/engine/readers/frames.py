"""Findings printed with a frame of source around them: oxlint, rolldown (vite 8), and what else uses that form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from chef_supervisor.domain.outcome import Diagnostic, Severity
from chef_supervisor.engine.readers.findings import diagnostic
from chef_supervisor.engine.shapes import an_int

_FRAME: Final = re.compile(r"\s{0,20}(?:╭─|,-)\[ ?(?P<file>[^\]]{1,500}?):(?P<line>\d+):(?P<column>\d+) ?\]")
_MARK: Final = re.compile(r"\s{0,20}(?P<mark>[×⚠x!✖]) +(?=\S)")
_BRACKETED: Final = re.compile(r"\[(?P<code>[^\]]{1,80})\] (?P<message>.*)")
_RULE: Final = re.compile(r"(?P<code>[\w@/-]{1,60}\([\w@/-]{1,80}\)): (?P<message>.*)")


def read_frames(lines: list[str]) -> Iterator[Diagnostic | None]:
    """Yields: one finding per frame; its message is the line above the frame."""
    above = ""
    bundler = "vite" if any(line.startswith(("vite v", "error during build:")) for line in lines) else "rolldown"
    for line in lines:
        match = _FRAME.fullmatch(line)
        if match is not None and above:
            yield _finding(match, above, bundler)
        above = line if line.strip() else above


def _finding(place: re.Match[str], above: str, bundler: str) -> Diagnostic | None:
    mark = _MARK.match(above)
    text = above[mark.end() :] if mark else above.strip()
    named = _BRACKETED.fullmatch(text) or _RULE.fullmatch(text)
    is_warning = mark is not None and mark["mark"] in "⚠!"
    return diagnostic(
        file=place["file"],
        line=an_int(place["line"]),
        column=an_int(place["column"]),
        severity=Severity.WARNING if is_warning else Severity.ERROR,
        code=named["code"] if named else "",
        message=named["message"] if named else text,
        tool="oxlint" if mark else bundler,
    )
