"""What `bun test` prints, where a script of the project calls it: the error first, then the name of its test."""

from __future__ import annotations

import re
from collections import deque
from typing import Final

import attrs

from chef_supervisor.domain.outcome import Verdict
from chef_supervisor.engine.readers.findings import Findings
from chef_supervisor.engine.readers.tally import WHOLE_FILE, Tally
from chef_supervisor.engine.readers.totals import totals_of

_FILE: Final = re.compile(r"(?P<file>[^\s:][^:]{0,500}\.\w{1,10}):")
_FAIL: Final = re.compile(r"(?:\(fail\)|✗) (?P<name>.*?)(?: \[[\d.]{1,20}ms\])?")
_OTHER: Final = re.compile(r"(?:\((?:pass|skip|todo)\)|[✓»✎]) .*")
_UNHANDLED: Final = re.compile(r"# Unhandled error between tests")
_RULE: Final = re.compile(r"-{20,}")
_COUNT: Final = re.compile(r" \d{1,9} (?:pass|fail|skip|todo)")
_RAN: Final = re.compile(r"Ran \d{1,9} tests? across .*")
_MOST_LINES: Final = 60


def read_bun_text(lines: list[str]) -> Findings:
    """Returns: the tests that failed, and bun's own counts, which take an error between tests for a failed one."""
    reader = _Reader()
    for line in lines:
        reader.line(line)
    return reader.findings()


@attrs.define(eq=False)
class _Reader:
    _tally: Tally = attrs.field(factory=Tally)
    _counts: list[str] = attrs.field(factory=list)
    _file: str = ""
    _rules: int = 0
    _ran: bool = False
    _text: deque[str] = attrs.field(factory=lambda: deque(maxlen=_MOST_LINES))

    def line(self, line: str) -> None:
        if (file := _FILE.fullmatch(line)) is not None:
            self._file = file["file"]
            self._text.clear()
        elif (fail := _FAIL.fullmatch(line)) is not None:
            self._add(fail["name"])
        elif _OTHER.fullmatch(line):
            self._text.clear()
        elif _UNHANDLED.fullmatch(line):
            self._rules = 2
        elif self._rules and _RULE.fullmatch(line):
            self._rule()
        elif _COUNT.fullmatch(line):
            self._counts.append(line)
        else:
            self._ran = self._ran or _RAN.fullmatch(line) is not None
            self._text.append(line)

    def _rule(self) -> None:
        self._rules -= 1
        if not self._rules:
            self._add(WHOLE_FILE)

    def _add(self, name: str) -> None:
        message = _without_source(self._text)
        self._tally.add(name=name, file=self._file, status=Verdict.FAILED, message=message)
        self._text.clear()

    def findings(self) -> Findings:
        return self._tally.findings("bun", totals_of(" ".join(self._counts))) if self._ran else Findings()


def _without_source(lines: deque[str]) -> str:
    # Up to six lines of source come first, down to the mark below the last.
    text = list(lines)
    marks = [index for index, line in enumerate(text) if line.strip() == "^"]
    return "\n".join(text[marks[0] + 1 if marks else 0 :]).strip()
