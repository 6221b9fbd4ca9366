"""The JSON report of jest, which vitest writes as well."""

from __future__ import annotations

from typing import Any, Final

from chef_supervisor.domain.outcome import Verdict
from chef_supervisor.engine.readers.findings import Findings
from chef_supervisor.engine.readers.places import Place
from chef_supervisor.engine.readers.tally import WHOLE_FILE, Tally
from chef_supervisor.engine.shapes import Unreadable, a_dict, a_text, an_int, dicts, json_of, texts

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
    return tally.findings("jest" if "openHandles" in report else "vitest")


def _add_suite(tally: Tally, suite: dict[str, Any]) -> None:
    file = a_text(suite.get("name"))
    failed = False
    for case in dicts(suite.get("assertionResults")):
        status = _STATUS.get(a_text(case.get("status")), Verdict.SKIPPED)
        failed = failed or status is Verdict.FAILED
        location = a_dict(case.get("location"))
        tally.add(
            name=_name(case),
            file=file,
            status=status,
            ms=an_int(case.get("duration")),
            message="\n".join(texts(case.get("failureMessages"))),
            place=Place(file, an_int(location.get("line")), an_int(location.get("column"))) if location else None,
        )
    if suite.get("status") == "failed" and not failed:
        # The file itself failed, as with a syntax error: no test of it was run.
        message = a_text(suite.get("message")).removeprefix("  ● Test suite failed to run\n")
        tally.add(name=WHOLE_FILE, file=file, status=Verdict.FAILED, message=message or "the file could not be run")


def _name(case: dict[str, Any]) -> str:
    return " > ".join([*filter(None, texts(case.get("ancestorTitles"))), a_text(case.get("title"))])
