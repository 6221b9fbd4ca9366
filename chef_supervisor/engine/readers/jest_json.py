"""The JSON report of jest, which vitest writes as well."""

from __future__ import annotations

import re
from typing import Any, Final

from chef_supervisor.domain.outcome import Verdict
from chef_supervisor.engine.readers.findings import Findings, Tally
from chef_supervisor.engine.shapes import Unreadable, a_dict, a_text, an_int, dicts, json_of, texts

_LONGEST: Final = 20_000
_TOOL_FRAME: Final = re.compile(r"\s{1,16}at (?:.*node_modules/|.*\(?node:|new Promise|.*<anonymous>\))")
_STATUS: Final = {"passed": Verdict.PASSED, "failed": Verdict.FAILED}


def read_jest_json(content: bytes) -> Findings:
    """
    Returns: the tests, and as a failed test each file that could not be run.

    Raises:
        Unreadable: it is no such report.
    """
    report = a_dict(json_of(content))
    if not isinstance(report.get("testResults"), list):
        msg = "it has no testResults"
        raise Unreadable(msg)
    tally = Tally()
    for suite in dicts(report["testResults"]):
        _add_suite(tally, suite)
    return Findings(tests=tally.counts())


def _add_suite(tally: Tally, suite: dict[str, Any]) -> None:
    file = a_text(suite.get("name"))
    failed = False
    for case in dicts(suite.get("assertionResults")):
        status = _STATUS.get(a_text(case.get("status")), Verdict.SKIPPED)
        failed = failed or status is Verdict.FAILED
        tally.add(
            name=_name(case),
            file=file,
            status=status,
            ms=an_int(case.get("duration")),
            message=_without_tool_frames("\n".join(texts(case.get("failureMessages")))),
        )
    if suite.get("status") == "failed" and not failed:
        # The file itself failed, as with a syntax error: no test of it was run.
        message = a_text(suite.get("message")) or "the file could not be run"
        tally.add(name="(the whole file)", file=file, status=Verdict.FAILED, ms=0, message=message)


def _without_tool_frames(message: str) -> str:
    # Frames of the runner say nothing about the project, and there are many.
    lines = message[:_LONGEST].splitlines()
    return "\n".join(line for line in lines if not _TOOL_FRAME.match(line))


def _name(case: dict[str, Any]) -> str:
    return " > ".join([*filter(None, texts(case.get("ancestorTitles"))), a_text(case.get("title"))])
