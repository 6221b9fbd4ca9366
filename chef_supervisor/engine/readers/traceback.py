"""Python tracebacks and syntax errors: the innermost place that is the project's own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from chef_supervisor.domain.outcome import Diagnostic, Severity
from chef_supervisor.engine.paths import project_path
from chef_supervisor.engine.readers.findings import diagnostic
from chef_supervisor.engine.shapes import an_int

_PLACE: Final = re.compile(r'(?:E {3})?\s{2,8}File "(?P<file>[^"]{1,500})", line (?P<line>\d+)(?:, in .*)?')
_ERROR: Final = re.compile(
    r"(?:\*\*\* |E {3})?(?P<code>(?:\w+\.){0,8}\w*(?:Error|Exception|Interrupt|Exit|Warning))(?:: (?P<message>.*))?"
)
_NOT_OWN: Final = ("venv/", "node_modules/")


def read_traceback(lines: list[str]) -> Iterator[Diagnostic | None]:
    """Yields: one finding per traceback that passes through the project."""
    place: re.Match[str] | None = None
    for line in lines:
        if (found := _PLACE.fullmatch(line)) is not None:
            place = found if _is_own(found["file"]) else place
        elif place is not None and (error := _ERROR.fullmatch(line)) is not None:
            yield diagnostic(
                file=place["file"],
                line=an_int(place["line"]),
                column=0,
                severity=Severity.ERROR,
                code=error["code"],
                message=error["message"] or error["code"],
                tool="python",
            )
            place = None


def _is_own(file: str) -> bool:
    path = project_path(file)
    return path is not None and not path.startswith(_NOT_OWN)
