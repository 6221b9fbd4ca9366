"""The Test Anything Protocol, as ava, node, mocha and vitest print it; subtests are indented or stand in braces."""

from __future__ import annotations

import re
from typing import Final

import attrs

from chef_supervisor.domain.outcome import Verdict
from chef_supervisor.engine.readers.findings import Findings
from chef_supervisor.engine.readers.places import Place, innermost, place_in
from chef_supervisor.engine.readers.tally import Tally, Totals
from chef_supervisor.engine.readers.totals import totals_of
from chef_supervisor.engine.shapes import an_int

_POINT: Final = re.compile(r"(?P<indent> {0,80})(?P<failed>not )?ok (?P<number>\d{1,9})(?: -)?(?: (?P<name>.*))?")
_DIRECTIVE: Final = re.compile(r"(?:^| )# (?P<word>SKIP|TODO|time=)(?:[ \d].*)?$", re.IGNORECASE)
_PLAN: Final = re.compile(r" {0,80}1\.\.\d{1,9}(?: # .*)?")
_VERSION: Final = re.compile(r"TAP version \d{1,3}")
# Only node counts those; a test that has tests of its own is counted, but is none here.
_NODE_COUNT: Final = re.compile(r"# (?P<word>pass|fail|cancelled|skipped|todo) (?P<number>\d{1,9})")
_TIMED: Final = re.compile(r" # time=[\d.]{1,20}ms")
_NODE: Final = frozenset({"pass", "fail", "cancelled"})
_LOCATION: Final = re.compile(r"location: '?(?P<place>[^']{1,1000})'?")
_REASON: Final = re.compile(r"(?:error|message): ['\"]?(?P<text>[^>|'\"\s].*?)['\"]?")
# What a person does not need of a point's details.
_DETAIL: Final = re.compile(
    r"(?:---|\.\.\.|(?:duration_ms|type|location|failureType|exitCode|signal|code|name|stack|at|message|error|details|values)"
    r":.*|.*\(?node:.*)"
)
_STACK: Final = ("stack:", "at:")
_MOST_LINES: Final = 80


def read_tap(lines: list[str]) -> Findings:
    """Returns: the tests; a point that only sums up those below it is no test."""
    reader = _Reader()
    for line in lines:
        reader.line(line)
    return reader.findings()


@attrs.define(eq=False)
class _Reader:
    _tally: Tally = attrs.field(factory=Tally)
    _is_tap: bool = False
    _points: int = 0
    _point: re.Match[str] | None = None
    _text: list[str] = attrs.field(factory=list)
    _deepest: int = 0
    _braces: bool = False
    _counts: dict[str, int] = attrs.field(factory=dict)

    def line(self, line: str) -> None:
        if (point := _POINT.fullmatch(line)) is not None:
            self._close()
            self._open(point)
        elif (count := _NODE_COUNT.fullmatch(line)) is not None:
            self._close()
            self._counts[count["word"]] = an_int(count["number"])
        elif _PLAN.fullmatch(line) or _VERSION.fullmatch(line):
            self._close()
            self._is_tap = True
        elif line.startswith("# "):
            self._close()
        elif self._point is not None and len(self._text) < _MOST_LINES:
            self._text.append(line.strip())

    def _open(self, point: re.Match[str]) -> None:
        depth = len(point["indent"])
        # What stands less deep than the point before it sums that up; vitest opens a brace instead.
        opens = (point["name"] or "").endswith("{")
        self._braces = self._braces or opens
        sums_up = opens or (depth < self._deepest and not self._braces)
        self._deepest = depth
        self._points += 1
        self._point = None if sums_up else point

    def _close(self) -> None:
        point, self._point = self._point, None
        if point is None:
            return
        name = _TIMED.sub("", point["name"] or "")
        directive = _DIRECTIVE.search(name)
        status = Verdict.FAILED if point["failed"] else Verdict.PASSED
        location = self._location()
        place = self._thrown(location)
        stands_in = location or place
        self._tally.add(
            name=name[: directive.start()] if directive else name,
            file=stands_in.file if stands_in is not None else "",
            status=Verdict.SKIPPED if directive else status,
            message=self._message(),
            place=place,
        )
        self._text = []

    def _location(self) -> Place | None:
        """Returns: where the test stands, as node tells."""
        found = next(filter(None, map(_LOCATION.fullmatch, self._text)), None)
        return place_in(found["place"]) if found is not None else None

    def _thrown(self, location: Place | None) -> Place | None:
        # The frames of a stack stand here without what marks them elsewhere.
        start = next((index for index, line in enumerate(self._text) if line.startswith(_STACK)), None)
        if start is None:
            return location or innermost(self._text)
        return innermost(self._text[start:]) or location

    def _message(self) -> str:
        reasons = [found["text"] for found in map(_REASON.fullmatch, self._text) if found is not None]
        return "\n".join([*reasons[:1], *(line for line in self._text if not _DETAIL.fullmatch(line))])

    def findings(self) -> Findings:
        self._close()
        if not self._is_tap or not self._points:
            return Findings()
        is_node = self._counts.keys() >= _NODE
        return self._tally.findings("node" if is_node else "tap", self._totals() if is_node else None)

    def _totals(self) -> Totals:
        return totals_of(" ".join(f"{number} {word}" for word, number in self._counts.items()))
