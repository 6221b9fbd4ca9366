"""Errors of bundlers: esbuild, rollup, vite up to 7."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from chef_supervisor.domain.outcome import Diagnostic, Severity
from chef_supervisor.engine.readers.findings import diagnostic
from chef_supervisor.engine.shapes import an_int

# esbuild through vite:  /workspace/src/a.ts:7:17: ERROR: Unexpected ";"
_ESBUILD: Final = re.compile(r"(?P<file>[^\s:][^:]{0,500}):(?P<line>\d+):(?P<column>\d+): ERROR: (?P<message>.*)")
# esbuild itself: ✘ [ERROR] Could not resolve "x"   and, two lines later, the place with a colon behind it
_ESBUILD_MARK: Final = re.compile(r"(?:✘|X) \[(?P<severity>ERROR|WARNING)\] (?P<message>.*)")
_PLACE: Final = re.compile(r"\s{2,8}(?P<file>[^\s:][^:]{0,500}):(?P<line>\d+):(?P<column>\d+):")
# rollup: src/App.tsx (2:7): "x" is not exported by "src/b.ts", imported by "src/App.tsx".
_ROLLUP: Final = re.compile(
    r"(?:error during build:\s*)?(?P<file>[^\s(][^(:]{0,500}) \((?P<line>\d+):(?P<column>\d+)\): (?P<message>.*)"
)
# vite: [vite]: Rollup failed to resolve import "nothere" from "/workspace/src/App.tsx".
_UNRESOLVED: Final = re.compile(
    r'(?P<message>.{0,100}failed to resolve import "[^"]{1,300}" from "(?P<file>[^"]{1,500})".*)'
)


def read_bundler(lines: list[str]) -> Iterator[Diagnostic | None]:
    """Yields: errors that say where they are."""
    marked: re.Match[str] | None = None
    for line in lines:
        if (found := _ESBUILD.fullmatch(line) or _ROLLUP.fullmatch(line)) is not None:
            yield _error(found, found["message"], an_int(found["line"]), an_int(found["column"]))
        elif (found := _UNRESOLVED.fullmatch(line)) is not None:
            yield _error(found, found["message"], 0, 0)
        elif (mark := _ESBUILD_MARK.fullmatch(line)) is not None:
            marked = mark
        elif marked is not None and (found := _PLACE.fullmatch(line)) is not None:
            severity = Severity.ERROR if marked["severity"] == "ERROR" else Severity.WARNING
            yield _error(found, marked["message"], an_int(found["line"]), an_int(found["column"]), severity)
            marked = None


def _error(
    found: re.Match[str], message: str, line: int, column: int, severity: Severity = Severity.ERROR
) -> Diagnostic | None:
    return diagnostic(
        file=found["file"], line=line, column=column, severity=severity, code="", message=message, tool="bundler"
    )
