"""
A result as SARIF, for editors and code scanning: one run per tool, failed tests among the results.

Source: OASIS, Static Analysis Results Interchange Format (SARIF) 2.1.0, with errata 01.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from chef_supervisor.engine.shapes import a_dict, a_text, an_int, dicts

MEDIA_TYPE: Final = "application/sarif+json"
_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVEL: Final = {"error": "error", "warning": "warning", "info": "note"}
_UNNAMED: Final = "chef-supervisor"
# A rule has to have an id, and some findings have none.
_NO_CODE: Final = "finding"
_TEST_FAILED: Final = "test-failed"


def sarif_of(result: Mapping[str, Any]) -> dict[str, object]:
    """
    Returns: the log of a stored result, as JSON values.

    Args:
        result: what a job's `result` is on the wire.
    """
    by_tool: dict[str, list[dict[str, Any]]] = {}
    for finding in (*dicts(result.get("diagnostics")), *_failed_elsewhere(result)):
        by_tool.setdefault(a_text(finding.get("tool")) or _UNNAMED, []).append(finding)
    # A log without runs would say that nothing was looked at.
    runs = [_run(tool, found) for tool, found in by_tool.items()] or [_run(_UNNAMED, [])]
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": runs}


def _failed_elsewhere(result: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yields: the failed tests that are no diagnostic, as where nobody knows their file."""
    placed = [one for one in dicts(result.get("diagnostics")) if one.get("code") == _TEST_FAILED]
    told = [a_text(one.get("message")) for one in placed]
    tool = a_text(placed[0].get("tool")) if placed else "tests"
    for case in dicts(a_dict(result.get("tests")).get("cases")):
        name = a_text(case.get("name"))
        if case.get("status") != "failed" or any(text == name or text.startswith(f"{name}: ") for text in told):
            continue
        first = a_text(case.get("message")).strip().partition("\n")[0]
        message = ": ".join(filter(None, [name, first]))
        yield {
            "file": case.get("file"), "severity": "error", "code": _TEST_FAILED, "message": message, "tool": tool,
        }  # fmt: skip


def _run(tool: str, found: list[dict[str, Any]]) -> dict[str, object]:
    rules = list(dict.fromkeys(map(_rule_id, found)))
    index = {rule: number for number, rule in enumerate(rules)}
    return {
        "tool": {"driver": {"name": tool, "rules": [{"id": rule} for rule in rules]}},
        # Paths are relative to the project's root, wherever whoever reads this has it.
        "originalUriBaseIds": {"PROJECTROOT": {"description": {"text": "The root of the project's files."}}},
        "columnKind": "utf16CodeUnits",
        "results": [_result(finding, index[_rule_id(finding)]) for finding in found],
    }


def _rule_id(finding: Mapping[str, Any]) -> str:
    return a_text(finding.get("code")) or _NO_CODE


def _result(finding: Mapping[str, Any], rule_index: int) -> dict[str, object]:
    file = a_text(finding.get("file"))
    return {
        "ruleId": _rule_id(finding),
        "ruleIndex": rule_index,
        "level": _LEVEL.get(a_text(finding.get("severity")), "warning"),
        "message": {"text": a_text(finding.get("message")) or _rule_id(finding)},
    } | ({"locations": [_location(file, finding)]} if file else {})


def _location(file: str, finding: Mapping[str, Any]) -> dict[str, object]:
    # A file name may hold what is no text in UTF-8.
    uri = quote(file.encode("utf-8", "replace"), safe="/")
    physical: dict[str, object] = {"artifactLocation": {"uri": uri, "uriBaseId": "PROJECTROOT"}}
    line, column = an_int(finding.get("line")), an_int(finding.get("column"))
    if line:
        physical["region"] = {"startLine": line} | ({"startColumn": column} if column else {})
    return {"physicalLocation": physical}
