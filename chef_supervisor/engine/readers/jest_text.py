"""What jest prints for people, where a script of the project calls it."""

from __future__ import annotations

import re
from typing import Final

import attrs

from chef_supervisor.domain.outcome import Verdict
from chef_supervisor.engine.readers.findings import Findings
from chef_supervisor.engine.readers.tally import WHOLE_FILE, Tally, Totals
from chef_supervisor.engine.readers.totals import totals_of

_FILE: Final = re.compile(r" ?(?:FAIL|PASS) {1,2}(?:\S{1,60} )?(?P<file>\S{1,500}\.\w{1,10})(?: \(.{1,40}\))?")
_TEST: Final = re.compile(r"  ● (?P<name>.*)")
_BROKEN: Final = "Test suite failed to run"
_TOTALS: Final = re.compile(r"Tests: {1,12}(?P<counts>.*)")
# Not tests: what was printed, and what follows the tests.
_OTHER: Final = frozenset(
    {"Console", "Cannot log after tests are done. Did you forget to wait for something async in your test?"}
)
_END: Final = ("Test Suites: ", "Summary of all failing tests", "-----")
_MOST_LINES: Final = 60


def read_jest_text(lines: list[str]) -> Findings:
    """Returns: the tests that failed, and jest's own counts; a file that could not be run is a failed test."""
    reader = _Reader()
    for line in lines:
        reader.line(line)
    return reader.findings()


@attrs.define(eq=False)
class _Reader:
    _tally: Tally = attrs.field(factory=Tally)
    _file: str = ""
    _name: str = ""
    _text: list[str] = attrs.field(factory=list)
    # With many files jest tells of every failure twice.
    _told: set[tuple[str, str]] = attrs.field(factory=set)
    _totals: Totals | None = None
    _broken_files: int = 0

    def line(self, line: str) -> None:
        if (test := _TEST.fullmatch(line)) is not None:
            self._close()
            self._name = "" if test["name"] in _OTHER else test["name"]
        elif (file := _FILE.fullmatch(line)) is not None:
            self._close()
            self._file = file["file"]
        elif (totals := _TOTALS.fullmatch(line)) is not None:
            self._totals = totals_of(totals["counts"])
        elif line.startswith(_END):
            self._close()
        elif self._name and len(self._text) < _MOST_LINES:
            self._text.append(line.removeprefix("    "))

    def _close(self) -> None:
        if self._name and (self._file, self._name) not in self._told:
            self._told.add((self._file, self._name))
            is_broken = self._name == _BROKEN
            self._broken_files += is_broken
            name = WHOLE_FILE if is_broken else self._name.replace(" › ", " > ")
            self._tally.add(name=name, file=self._file, status=Verdict.FAILED, message="\n".join(self._text).strip())
        self._name, self._text = "", []

    def findings(self) -> Findings:
        self._close()
        if self._totals is None:
            return Findings()
        return self._tally.findings("jest", attrs.evolve(self._totals, failed=self._totals.failed + self._broken_files))
