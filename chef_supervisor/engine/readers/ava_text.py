"""What ava prints for people, where a script of the project calls it."""

from __future__ import annotations

import re
from collections import deque
from typing import Final

import attrs

from chef_supervisor.domain.outcome import Verdict
from chef_supervisor.engine.readers.findings import Findings
from chef_supervisor.engine.readers.tally import WHOLE_FILE, Tally, Totals
from chef_supervisor.engine.shapes import an_int

_FAIL: Final = re.compile(r"  ✘ \[fail\]: (?P<title>.*)")
_PASS: Final = re.compile(r"  ✔ .*")
_COUNT: Final = re.compile(
    r"  (?P<number>\d{1,9}) (?:(?:tests?|hooks?) (?P<word>failed|passed|skipped|todo)"
    r"|(?P<odd>known failures?|uncaught exceptions?|unhandled rejections?))"
)
_UNCAUGHT: Final = re.compile(r"  (?:Uncaught exception|Unhandled rejection) in (?P<file>\S{1,500})")
_RULE: Final = "  ─"
# Above the reason stand the place, which is told again below it, and some source.
_SOURCE: Final = re.compile(r"  (?:\S{1,500}:\d{1,9}| {0,6}\d{1,9}:(?: .*)?)")
_MOST_LINES: Final = 60


def read_ava_text(lines: list[str]) -> Findings:
    """Returns: the tests that failed, and ava's own counts; a file that could not be run is a failed test."""
    reader = _Reader()
    for line in lines:
        reader.line(line)
    return reader.findings()


@attrs.define(eq=False)
class _Reader:
    _tally: Tally = attrs.field(factory=Tally)
    # Titles as listed, which begin with the title and may go on with a message.
    _failed: deque[str] = attrs.field(factory=deque)
    _passed: int = 0
    _counts: dict[str, int] = attrs.field(factory=dict)
    _file: str = ""
    _name: str = ""
    _text: list[str] = attrs.field(factory=list)
    _detailed: bool = False

    def line(self, line: str) -> None:
        if (count := _COUNT.fullmatch(line)) is not None:
            self._close()
            self._counts[count["word"] or count["odd"].split(" ")[0]] = an_int(count["number"])
        elif (fail := _FAIL.fullmatch(line)) is not None:
            self._close()
            self._failed.append(fail["title"])
        elif _PASS.fullmatch(line):
            self._close()
            self._passed += 1
        elif (uncaught := _UNCAUGHT.fullmatch(line)) is not None:
            self._close()
            self._file, self._name = uncaught["file"], WHOLE_FILE
        else:
            self._other(line)

    def _other(self, line: str) -> None:
        if line == _RULE:
            self._close()
            self._detailed = True
        elif self._detailed and self._failed and self._is_title(line):
            self._close()
            self._failed.popleft()
            self._name = line.strip()
        elif self._name and len(self._text) < _MOST_LINES and not _SOURCE.fullmatch(line):
            self._text.append(line.removeprefix("  "))

    def _is_title(self, line: str) -> bool:
        # Details come in the order of the list.
        return line.startswith("  ") and len(line) > len("  ") and self._failed[0].startswith(line[2:].rstrip())

    def _close(self) -> None:
        if self._name:
            name = self._name.replace(" › ", " > ")
            self._tally.add(name=name, file=self._file, status=Verdict.FAILED, message="\n".join(self._text).strip())
        self._file, self._name, self._text = "", "", []

    def findings(self) -> Findings:
        self._close()
        if not self._counts:
            return Findings()
        get = self._counts.get
        failed = get("failed", 0) + get("uncaught", 0) + get("unhandled", 0)
        return self._tally.findings(
            "ava", Totals(max(self._passed, get("passed", 0)), failed, get("skipped", 0) + get("todo", 0))
        )
