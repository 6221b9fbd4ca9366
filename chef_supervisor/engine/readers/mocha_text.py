"""What mocha prints for people (spec, dot, min and others end alike), where a script of the project calls it."""

from __future__ import annotations

import re
from typing import Final

import attrs

from chef_supervisor.domain.outcome import Verdict
from chef_supervisor.engine.readers.findings import Findings
from chef_supervisor.engine.readers.tally import Tally
from chef_supervisor.engine.readers.totals import totals_of

_COUNT: Final = re.compile(r"  \d{1,9} (?:passing|pending|failing)(?: \([\d.]{1,12}\w{1,2}\))?")
_FIRST: Final = re.compile(r"  \d{1,6}\) (?P<title>.*)")
# A test that took too long has no stack, but its file behind the message.
_TIMEOUT: Final = re.compile(r"Error: Timeout of .{1,300} \((?P<file>[^()\s]{1,500})\)")
_MOST_LINES: Final = 60
_MOST_TITLES: Final = 20


def read_mocha_text(lines: list[str]) -> Findings:
    """Returns: the tests that failed, and mocha's own counts; a hook that failed is a failed test."""
    counts = [line for line in lines if _COUNT.fullmatch(line)]
    if not any("passing" in line for line in counts):
        return Findings()
    reader = _Reader()
    end = max(index for index, line in enumerate(lines) if _COUNT.fullmatch(line))
    for line in lines[end + 1 :]:
        reader.line(line)
    return reader.findings(counts)


@attrs.define(eq=False)
class _Reader:
    _tally: Tally = attrs.field(factory=Tally)
    _titles: list[str] = attrs.field(factory=list)
    _titled: bool = False
    _text: list[str] = attrs.field(factory=list)

    def line(self, line: str) -> None:
        if (first := _FIRST.fullmatch(line)) is not None:
            self._close()
            self._title(first["title"])
        elif self._titles and not self._titled:
            # A title goes on, one suite a line, until the colon.
            self._title(line)
        elif self._titles and len(self._text) < _MOST_LINES:
            self._text.append(line.removeprefix("     "))

    def _title(self, text: str) -> None:
        self._titles.append(text.strip().removesuffix(":"))
        self._titled = text.endswith(":") or len(self._titles) >= _MOST_TITLES

    def _close(self) -> None:
        if self._titles:
            name = " > ".join(self._titles)
            timeout = _TIMEOUT.fullmatch(self._text[0]) if self._text else None
            file = timeout["file"] if timeout is not None else ""
            self._tally.add(name=name, file=file, status=Verdict.FAILED, message="\n".join(self._text).strip())
        self._titles, self._titled, self._text = [], False, []

    def findings(self, counts: list[str]) -> Findings:
        self._close()
        return self._tally.findings("mocha", totals_of(" ".join(counts)))
