"""What biome prints for people: place and rule above a rule of dashes, the message below it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from chef_supervisor.domain.outcome import Diagnostic, Severity
from chef_supervisor.engine.readers.findings import diagnostic
from chef_supervisor.engine.shapes import an_int

_HEAD: Final = re.compile(
    r"(?P<file>\S.{0,500}?)(?::(?P<line>\d{1,9}):(?P<column>\d{1,9}))? (?P<code>[\w/-]{1,100}) {1,3}(?:[A-Z]{4,10} {1,3}){0,3}━+"
)
_MESSAGE: Final = re.compile(r"  (?P<mark>[×✖!⚠iℹ]) (?P<message>.*)")
# Said again of each file that has an error of syntax.
_AGAIN: Final = "Code formatting aborted due to parsing errors."
_SEVERITY: Final = {"!": Severity.WARNING, "⚠": Severity.WARNING, "i": Severity.INFO, "ℹ": Severity.INFO}


def read_biome_text(lines: list[str]) -> Iterator[Diagnostic | None]:
    """Yields: findings of `biome lint`, `check`, `ci` and `format`."""
    head: re.Match[str] | None = None
    for line in lines:
        # Few lines have a rule: the others cost nothing.
        if line.endswith("━") and (found := _HEAD.fullmatch(line)) is not None:
            head = found
        elif head is not None and (message := _MESSAGE.fullmatch(line)) is not None:
            said, head = head, None
            if message["message"].startswith(_AGAIN):
                continue
            yield diagnostic(
                file=said["file"],
                line=an_int(said["line"]),
                column=an_int(said["column"]),
                severity=_SEVERITY.get(message["mark"], Severity.ERROR),
                code=said["code"],
                message=message["message"],
                tool="biome",
            )
        elif line.strip():
            head = None
