"""What vitest prints for people, where a script of the project calls it."""

from __future__ import annotations

import re
from typing import Final

import attrs

from chef_supervisor.domain.outcome import Verdict
from chef_supervisor.engine.readers.findings import Findings
from chef_supervisor.engine.readers.tally import WHOLE_FILE, Tally, Totals
from chef_supervisor.engine.readers.totals import totals_of

#  FAIL  src/a.test.ts > suite > name     and, of a file that could not be run,      FAIL  src/a.test.ts [ src/a.test.ts ]
_FAIL: Final = re.compile(
    r" FAIL {1,3}(?:\|[^|]{1,100}\| )?(?P<file>[^\s>][^>]{0,500}?)(?: > (?P<name>.*)| \[ .*+(?<= \]))"
)
_END: Final = re.compile(r"⎯{3,}\[\d+/\d+\]⎯.*")
_SUITES: Final = re.compile(r"⎯{3,} Failed Suites (\d{1,6}) ⎯.*")
_TOTALS: Final = re.compile(r" {2,12}Tests  (?P<counts>.*)")
_MOST_LINES: Final = 60


def read_vitest_text(lines: list[str]) -> Findings:
    """Returns: the tests that failed, and vitest's own counts; a file that could not be run is a failed test."""
    reader = _Reader()
    for line in lines:
        reader.line(line)
    return reader.findings()


@attrs.define(eq=False)
class _Reader:
    _tally: Tally = attrs.field(factory=Tally)
    # Tests that failed in the same way stand above one text.
    _open: list[tuple[str, str]] = attrs.field(factory=list)
    _text: list[str] = attrs.field(factory=list)
    _totals: Totals | None = None
    _broken_files: int = 0

    def line(self, line: str) -> None:
        if (fail := _FAIL.fullmatch(line)) is not None:
            if self._text:
                self._close()
            self._open.append((fail["file"], fail["name"] or WHOLE_FILE))
        elif _END.fullmatch(line):
            self._close()
        elif (suites := _SUITES.fullmatch(line)) is not None:
            self._broken_files = int(suites[1])
        elif (totals := _TOTALS.fullmatch(line)) is not None:
            self._close()
            self._totals = totals_of(totals["counts"])
        elif self._open and len(self._text) < _MOST_LINES:
            self._text.append(line)

    def _close(self) -> None:
        for file, name in self._open:
            self._tally.add(name=name, file=file, status=Verdict.FAILED, message="\n".join(self._text))
        self._open, self._text = [], []

    def findings(self) -> Findings:
        self._close()
        if self._totals is None:
            return Findings()
        return self._tally.findings(
            "vitest", attrs.evolve(self._totals, failed=self._totals.failed + self._broken_files)
        )
