"""What node's own test runner prints for people, where a script of the project calls it."""

from __future__ import annotations

import re
from typing import Final

import attrs

from chef_supervisor.domain.outcome import Verdict
from chef_supervisor.engine.readers.findings import Findings
from chef_supervisor.engine.readers.places import Place, place_in
from chef_supervisor.engine.readers.tally import Tally, Totals
from chef_supervisor.engine.readers.totals import totals_of

_COUNT: Final = re.compile(r"ℹ (?P<word>pass|fail|cancelled|skipped|todo) (?P<number>\d{1,9})")
_AT: Final = re.compile(r"test at (?P<place>.*:\d+:\d+)")
_NAME: Final = re.compile(r"✖ (?P<name>.*?)(?: \([\d.]{1,20}ms\))?(?: # .*)?")
_MOST_LINES: Final = 60


def read_node_text(lines: list[str]) -> Findings:
    """Returns: the tests that failed, and node's own counts."""
    reader = _Reader()
    for line in lines:
        reader.line(line)
    return reader.findings()


@attrs.define(eq=False)
class _Reader:
    _tally: Tally = attrs.field(factory=Tally)
    _counts: list[str] = attrs.field(factory=list)
    _place: Place | None = None
    _name: str = ""
    _text: list[str] = attrs.field(factory=list)

    def line(self, line: str) -> None:
        if (count := _COUNT.fullmatch(line)) is not None:
            self._counts.append(f"{count['number']} {count['word']}")
        elif (at := _AT.fullmatch(line)) is not None:
            self._close()
            self._place = place_in(at["place"])
        elif self._place is not None and (name := _NAME.fullmatch(line)) is not None:
            self._name = name["name"]
        elif self._name and len(self._text) < _MOST_LINES:
            self._text.append(line.removeprefix("  "))

    def _close(self) -> None:
        if self._name and self._place is not None:
            message = "\n".join(self._text).strip()
            self._tally.add(
                name=self._name, file=self._place.file, status=Verdict.FAILED, message=message, place=self._place
            )
        self._place, self._name, self._text = None, "", []

    def findings(self) -> Findings:
        self._close()
        return self._tally.findings("node", self._totals()) if self._counts else Findings()

    def _totals(self) -> Totals:
        return totals_of(" ".join(self._counts))
