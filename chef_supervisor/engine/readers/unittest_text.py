"""What Python's unittest prints."""

from __future__ import annotations

import re
from typing import Final

import attrs

from chef_supervisor.domain.outcome import Verdict
from chef_supervisor.engine.readers.findings import Findings
from chef_supervisor.engine.readers.python_names import file_of
from chef_supervisor.engine.readers.tally import Tally, Totals
from chef_supervisor.engine.shapes import an_int

_TEST: Final = re.compile(r"(?:FAIL|ERROR): (?P<name>\S{1,300})(?: \((?P<dotted>[\w.]{1,500})\))?(?P<case>.*)")
_RAN: Final = re.compile(r"Ran (?P<number>\d{1,9}) tests? in [\d.]{1,20}s")
_END: Final = re.compile(r"(?:OK|FAILED|NO TESTS RAN)(?: \((?P<counts>.*)\))?")
_COUNT: Final = re.compile(r"(failures|errors|skipped|expected failures|unexpected successes)=(\d{1,9})")
_RULE: Final = re.compile(r"={70}|-{70}")
# What stands around tests is not counted by `Ran`.
_AROUND: Final = frozenset({"setUpClass", "tearDownClass", "setUpModule", "tearDownModule"})
_NOT_FOUND: Final = "unittest.loader._FailedTest"
_MOST_LINES: Final = 120


def read_unittest_text(lines: list[str]) -> Findings:
    """Returns: the tests that failed, and unittest's own counts; an expected failure counts as skipped."""
    reader = _Reader()
    for line in lines:
        reader.line(line)
    return reader.findings()


@attrs.define(eq=False)
class _Reader:
    _tally: Tally = attrs.field(factory=Tally)
    _after_rule: bool = False
    _test: re.Match[str] | None = None
    _text: list[str] = attrs.field(factory=list)
    # A test of subtests fails more than once.
    _failed: set[str] = attrs.field(factory=set)
    _ran: int | None = None
    _counts: dict[str, int] = attrs.field(factory=dict)

    def line(self, line: str) -> None:
        test = _TEST.fullmatch(line) if self._after_rule else None
        self._after_rule = line == "=" * 70
        if self._after_rule or (ran := _RAN.fullmatch(line)) is not None:
            self._close()
            self._ran = self._ran if self._after_rule or ran is None else an_int(ran["number"])
        elif test is not None:
            self._test = test
        elif self._ran is not None and (end := _END.fullmatch(line)) is not None:
            self._counts = {name: an_int(number) for name, number in _COUNT.findall(end["counts"] or "")}
        elif self._test is not None and not _RULE.fullmatch(line) and len(self._text) < _MOST_LINES:
            self._text.append(line)

    def _close(self) -> None:
        test, self._test = self._test, None
        if test is None:
            return
        name, dotted = test["name"], test["dotted"] or ""
        if name not in _AROUND:
            self._failed.add(f"{name} {dotted}")
        # Before Python 3.11 the dotted name ends with the class.
        owner = dotted.removesuffix(f".{name}")
        of_class = "" if owner == _NOT_FOUND or not owner.rpartition(".")[2][:1].isupper() else owner.rpartition(".")[2]
        self._tally.add(
            name=f"{of_class}.{name}{test['case']}" if of_class else f"{name}{test['case']}",
            file=file_of(owner) if owner != _NOT_FOUND else "",
            status=Verdict.FAILED,
            message="\n".join(self._text).strip(),
        )
        self._text = []

    def findings(self) -> Findings:
        self._close()
        if self._ran is None:
            return Findings()
        get = self._counts.get
        failed = get("failures", 0) + get("errors", 0) + get("unexpected successes", 0)
        skipped = get("skipped", 0) + get("expected failures", 0)
        passed = max(0, self._ran - skipped - len(self._failed) - get("unexpected successes", 0))
        return self._tally.findings("unittest", Totals(passed, failed, skipped))
