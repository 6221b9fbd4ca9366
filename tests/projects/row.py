"""One sample project and what is known of it: which job, how its tools are run by hand, and what they count."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final

import attrs

# Stands between what a tool prints on the way and the part that is counted.
MARK: Final = "@@@"


@attrs.frozen(kw_only=True)
class Counts:
    """What a tool counts. Tests, or findings; what it does not count is 0."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    errors: int = 0
    warnings: int = 0


NOTHING: Final = Counts()
Count = Callable[[str], Counts]


@attrs.frozen(kw_only=True)
class Ending:
    """How the job ends. `succeeds`: whether the tools, run by hand, end with 0."""

    succeeds: bool
    status: str
    verdict: str
    cause: str | None = None


@attrs.frozen(kw_only=True)
class Row:
    """
    A project of `samples/` (or made by `generated`), one job of it, and its outcome.

    Attributes:
        by_hand: a script for `sh -e` in the runner image, in the project's folder, with network; its exit code is the
            tools'. What it prints after a line `@@@` is given to `count`.
        lock: a file, and the script that makes it, for one that cannot lie here: it names the index it was made with.
        quick: it installs nothing, and is in the fast half.
        bubblewrap: it is also run there.
    """

    project: str
    type: str
    toolchain: str
    by_hand: str
    count: Count = lambda _: NOTHING
    ending: Ending
    counts: Counts = NOTHING
    lock: tuple[str, str] | None = None
    quick: bool = False
    bubblewrap: bool = False
    options: dict[str, Any] = attrs.field(factory=dict)

    @property
    def name(self) -> str:
        """What the test of it is called."""
        return f"{self.project}-{self.type}"


def numbers(**patterns: str) -> Count:
    """Returns: a count that sums up what the group of each regular expression matches, or how often it matches."""

    def count(text: str) -> Counts:
        return Counts(
            **{name: sum(map(_number, re.findall(regex, text, re.MULTILINE))) for name, regex in patterns.items()}
        )

    return count


def _number(found: str) -> int:
    return int(found) if found.isdigit() else 1


def jest(text: str) -> Counts:
    """Counts what jest and vitest write as JSON."""
    told = json.loads(text)
    skipped = told["numPendingTests"] + told["numTodoTests"]
    return Counts(passed=told["numPassedTests"], failed=told["numFailedTests"], skipped=skipped)


def mocha(text: str) -> Counts:
    """Counts what mocha writes as JSON."""
    told = json.loads(text)["stats"]
    return Counts(passed=told["passes"], failed=told["failures"], skipped=told["pending"])


def eslint(text: str) -> Counts:
    """Counts what eslint writes as JSON."""
    told = json.loads(text)
    return Counts(errors=sum(file["errorCount"] for file in told), warnings=sum(file["warningCount"] for file in told))


def ruff(text: str) -> Counts:
    """Counts what ruff writes as JSON."""
    return Counts(errors=len(json.loads(text)))


tap: Final = numbers(passed=r"^# pass (\d+)", failed=r"^# fail (\d+)", skipped=r"^# skip(?:ped)? (\d+)")
unittest: Final = numbers(passed=r"\.\.\. (ok)$", failed=r"\.\.\. (ERROR|FAIL)$", skipped=r"\.\.\. (skipped) ")
pytest: Final = numbers(passed=r"(\d+) passed", failed=r"(\d+) failed", skipped=r"(\d+) skipped")
tsc: Final = numbers(errors=r"(: error TS)\d+")
