"""Counts tests, keeps some of them, and makes a diagnostic of each that failed, so that one can jump to it."""

from __future__ import annotations

import re
from typing import Final

import attrs

from chef_supervisor.domain.outcome import Diagnostic, Severity, TestCase, TestCounts, Verdict
from chef_supervisor.engine.paths import project_path
from chef_supervisor.engine.readers.findings import MAX_DIAGNOSTICS, Findings, diagnostic
from chef_supervisor.engine.readers.places import Place, frame, innermost, is_frame
from chef_supervisor.engine.text import message_of

MAX_CASES: Final = 500
# The code of the diagnostic of a failed test.
TEST_FAILED: Final = "test-failed"
WHOLE_FILE: Final = "(the whole file)"
_LONGEST_NAME: Final = 500
_LONGEST_TEXT: Final = 20_000
_LONGEST_REASON: Final = 500
_FRAME: Final = re.compile(r'\s*File ".{1,500}", line \d')
_ERROR: Final = re.compile(r"[\w.]{1,200}(?:Error|Exception): ")
# What stands above the reason and does not tell it.
_PREAMBLE: Final = (
    "> ", "- ", "+ ", "expect(", "Error: expect(", "error: expect(", "AssertionError: expect(received)", "Traceback ",
    "Exception Group", "Error thrown in test:", "message: ", "}",
)  # fmt: skip


@attrs.frozen
class Totals:
    """What the runner itself said that it counted."""

    passed: int
    failed: int
    skipped: int


@attrs.define(eq=False)
class Tally:
    """Takes tests one by one; keeps 500 of them, failed ones first, and 200 diagnostics."""

    _count: dict[Verdict, int] = attrs.field(factory=lambda: dict.fromkeys(Verdict, 0), init=False)
    _kept: dict[Verdict, list[TestCase]] = attrs.field(factory=lambda: {one: [] for one in Verdict}, init=False)
    _places: dict[Diagnostic, None] = attrs.field(factory=dict, init=False)

    def add(
        self, *, name: str, file: str, status: Verdict, ms: int = 0, message: str = "", place: Place | None = None
    ) -> None:
        """
        Count a test; its texts are cut and cleaned only where it is kept.

        `place`: where the runner says that the test stands; the stack in `message` tells better.
        """
        self._count[status] += 1
        if len(self._kept[status]) >= MAX_CASES:
            return
        text = message[:_LONGEST_TEXT] if status is not Verdict.PASSED else ""
        at = (innermost(text) or place) if status is Verdict.FAILED else None
        reason = _reason(text)
        case = TestCase(
            name=message_of(name, _LONGEST_NAME),
            file=project_path(file) or (at.file if at is not None else ""),
            status=status,
            ms=ms,
            message=_message(text, reason),
        )
        self._kept[status].append(case)
        if status is Verdict.FAILED and case.file and len(self._places) < MAX_DIAGNOSTICS:
            self._point(case.name, reason, at or Place(case.file))

    def _point(self, name: str, reason: str, place: Place) -> None:
        found = diagnostic(
            file=place.file,
            line=place.line,
            column=place.column,
            severity=Severity.ERROR,
            code=TEST_FAILED,
            message=f"{name}: {reason}" if reason else name,
            tool="",
        )
        if found is not None:
            self._places[found] = None

    def findings(self, tool: str, totals: Totals | None = None) -> Findings:
        """Returns: all that was counted, or what the runner itself says of it, as found by `tool`."""
        order = (Verdict.FAILED, Verdict.SKIPPED, Verdict.PASSED)
        counted = totals or Totals(*(self._count[one] for one in (Verdict.PASSED, Verdict.FAILED, Verdict.SKIPPED)))
        tests = TestCounts(
            passed=counted.passed,
            failed=counted.failed,
            skipped=counted.skipped,
            cases=tuple(case for status in order for case in self._kept[status])[:MAX_CASES],
        )
        return Findings(tests=tests, diagnostics=tuple(attrs.evolve(one, tool=tool) for one in self._places))


def _message(text: str, reason: str) -> str:
    message = message_of(_without_foreign_frames(text))
    # Pages of source may stand above the reason.
    return message if message_of(reason) in message else message_of(f"{reason}\n{message}")


def _without_foreign_frames(message: str) -> str:
    # Frames of the runner say nothing about the project, and there are many.
    return "\n".join(line for line in message.splitlines() if not is_frame(line) or frame(line) is not None)


def _reason(message: str) -> str:
    """Returns: the line that says what went wrong, with the next where it needs it."""
    lines = message.splitlines()
    python = _python_reason(lines)
    told = [line.strip() for line in lines if line.strip() and not is_frame(line)]
    syntax = next((line for line in told if line.startswith("SyntaxError: ")), None)
    return (python or syntax or _first_told(told))[:_LONGEST_REASON]


def _python_reason(lines: list[str]) -> str:
    # pytest marks its reasons with an E, among them places of syntax errors.
    marked = [line[1:].strip() for line in lines if line.startswith("E  ")]
    if marked:
        errors = (line for line in reversed(marked) if _ERROR.match(line))
        return next(errors, marked[0]) if marked[0].startswith('File "') else marked[0]
    last = max((index for index, line in enumerate(lines) if _FRAME.match(line)), default=None)
    after = lines[last + 1 :] if last is not None else []
    return next((line for line in after if line[:1].strip()), "").strip()


def _first_told(lines: list[str]) -> str:
    first = next((index for index, line in enumerate(lines) if not _is_preamble(line)), 0)
    told = lines[first : first + 2]
    if told and told[0].endswith(":"):
        # A difference has two lines.
        told = lines[first : first + 3] if told[1:] and told[1].startswith("- ") else told
    elif told and not told[0].startswith("Expected: "):
        told = told[:1]
    return " ".join(told)


def _is_preamble(line: str) -> bool:
    return line.startswith(_PREAMBLE) or line.endswith(" {")
