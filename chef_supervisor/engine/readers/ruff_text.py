"""What ruff prints by itself: the rule and the message on a line, the place with an arrow below it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from chef_supervisor.domain.outcome import Diagnostic, Severity
from chef_supervisor.engine.readers.findings import diagnostic
from chef_supervisor.engine.shapes import an_int

_RULE: Final = re.compile(r"(?P<code>[A-Z]{1,5}\d{1,5}|[a-z]+(?:-[a-z]+)*:) (?:\[[*-]\] )?(?P<message>\S.*)")
_PLACE: Final = re.compile(r" {1,12}--> (?P<file>\S.{0,500}?):(?:cell \d{1,6}:)?(?P<line>\d{1,9}):(?P<column>\d{1,9})")


def read_ruff_text(lines: list[str]) -> Iterator[Diagnostic | None]:
    """Yields: findings of `ruff check` and `ruff format --check` in their usual form."""
    rule: re.Match[str] | None = None
    for line in lines:
        place = _PLACE.fullmatch(line) if rule is not None else None
        if rule is not None and place is not None:
            yield diagnostic(
                file=place["file"],
                line=an_int(place["line"]),
                column=an_int(place["column"]),
                severity=Severity.ERROR,
                code=rule["code"].rstrip(":"),
                message=rule["message"],
                tool="ruff",
            )
        rule = _RULE.fullmatch(line)
