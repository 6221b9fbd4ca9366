"""What node and bun print of an error that nobody caught: the innermost place that is the project's own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import attrs

from chef_supervisor.domain.outcome import Diagnostic, Severity
from chef_supervisor.engine.paths import own_path
from chef_supervisor.engine.readers.findings import diagnostic
from chef_supervisor.engine.readers.places import Place, exact_place, frame, is_frame

_ERROR: Final = re.compile(
    r"(?:Uncaught |\[!\] | ?Exception during run: )?(?P<name>(?:[A-Z]\w{0,80})?(?:Error|Exception|Rejection)|error)"
    r"(?: \[(?P<code>\w{1,80})\])?(?:\[ @(?P<at>.{1,500}) \])?: (?P<message>.*)"
)
# What node prints above a syntax error, or what was thrown: the place alone on a line, then its source and a mark.
_HEAD: Final = re.compile(r"(?:file://)?(?P<place>[^\s:].{0,500}:\d{1,9})")
_FROM: Final = re.compile(r""".*\b(?:from|in) ['"]?(?P<file>[^\s'"]{1,500})['"]?""")
_REQUIRED: Final = re.compile(r"- (?P<file>\S.{0,500})")
_END: Final = re.compile(r"Node\.js v\d.*|Bun v\d.*")
# Lines between the message and its first frame belong to the message; more than these do not.
_LONGEST_MESSAGE: Final = 60


def read_node_errors(lines: list[str]) -> Iterator[Diagnostic | None]:
    """Yields: one finding per error that passes through the project."""
    reader = _Reader()
    for line in lines:
        yield from reader.line(line)
    yield from reader.end()


@attrs.define(eq=False)
class _Reader:
    _head: Place | None = None
    _error: re.Match[str] | None = None
    # What the error's own text names, for where no frame is the project's.
    _named: Place | None = None
    _lines: int = 0
    _stacked: bool = False

    def line(self, line: str) -> Iterator[Diagnostic | None]:
        if self._error is None:
            self._before(line)
            return
        if is_frame(line):
            self._stacked = True
            if (place := frame(line)) is not None:
                yield self._found(place)
            return
        self._lines += 1
        if self._stacked or self._lines > _LONGEST_MESSAGE or _END.fullmatch(line) or _ERROR.fullmatch(line):
            yield from self.end()
            self._before(line)
        elif (required := _REQUIRED.fullmatch(line)) is not None and self._named is None:
            self._named = _whole(required["file"])

    def _before(self, line: str) -> None:
        if ": " in line and (error := _ERROR.fullmatch(line)) is not None:
            self._error, self._lines, self._stacked = error, 0, False
            importer = _FROM.fullmatch(error["message"])
            self._named = _whole(error["at"] or (importer["file"] if importer is not None else ""))
        elif (head := _HEAD.fullmatch(line)) is not None:
            self._head = exact_place(head["place"]) or self._head

    def end(self) -> Iterator[Diagnostic | None]:
        """Yields: the error that is open, at the best place known."""
        place = self._head or self._named
        if self._error is not None and place is not None:
            yield self._found(place)
        self._error = self._head = self._named = None

    def _found(self, place: Place) -> Diagnostic | None:
        error, head = self._error, self._head
        self._error = self._head = self._named = None
        if error is None:
            return None
        if error["name"] == "SyntaxError" and head is not None:
            # Its frames are those of whoever loads the file; its own place is told first.
            place = head
        name = error["name"] if error["name"] != "error" else ""
        return diagnostic(
            file=place.file,
            line=place.line,
            column=place.column,
            severity=Severity.ERROR,
            code=error["code"] or name,
            message=error["message"] or name,
            tool="node",
        )


def _whole(file: str) -> Place | None:
    path = own_path(file) if file else None
    return Place(path) if path is not None else None
