"""Python tracebacks and syntax errors: the innermost place that is the project's own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import attrs

from chef_supervisor.domain.outcome import Diagnostic, Severity
from chef_supervisor.engine.readers.findings import diagnostic
from chef_supervisor.engine.readers.places import Place, frame

_ERROR: Final = re.compile(r"(?:\*\*\* )?(?P<code>(?:[A-Za-z_]\w{0,80}\.){0,8}[A-Za-z_]\w{0,80})(?:: (?P<message>.*))?")
_CHAINED: Final = re.compile(
    r"(?:During handling of the above exception, another exception occurred"
    r"|The above exception was the direct cause of the following exception):"
)
# Of an exception group every line stands behind a bar.
_BAR: Final = re.compile(r" {2,60}\| ?")
_FILE: Final = re.compile(r'  File ".{1,500}", line \d{1,9}(?:, in .*)?')
_WARNING: Final = re.compile(r".*Warning")


def read_traceback(lines: list[str]) -> Iterator[Diagnostic | None]:
    """Yields: one finding per traceback that passes through the project; of a chain the last, which was not caught."""
    reader = _Reader()
    for line in lines:
        yield from reader.line(_BAR.sub("", line, count=1) if line.startswith("  ") else line)
    yield reader.held


@attrs.define(eq=False)
class _Reader:
    held: Diagnostic | None = None
    _inside: bool = False
    _place: Place | None = None

    def line(self, line: str) -> Iterator[Diagnostic | None]:
        if _FILE.fullmatch(line):
            yield from self._frame(line)
        elif _CHAINED.fullmatch(line):
            # Where the last exception passes through nothing of the project, its cause did.
            self._place = Place(self.held.file, self.held.line) if self.held is not None else None
            self.held = None
        elif self._inside and line[:1].strip() and (error := _ERROR.fullmatch(line)) is not None:
            self._inside = False
            self.held = self._found(error)
            self._place = None

    def _frame(self, line: str) -> Iterator[Diagnostic | None]:
        if not self._inside:
            yield self.held
            self.held, self._inside = None, True
        self._place = frame(line) or self._place

    def _found(self, error: re.Match[str]) -> Diagnostic | None:
        if self._place is None:
            return None
        return diagnostic(
            file=self._place.file,
            line=self._place.line,
            column=0,
            severity=Severity.WARNING if _WARNING.fullmatch(error["code"]) else Severity.ERROR,
            code=error["code"],
            message=error["message"] or error["code"],
            tool="python",
        )
