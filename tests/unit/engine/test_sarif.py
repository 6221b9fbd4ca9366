from __future__ import annotations

from typing import Any

import orjson
import pytest
from fluidattacks_core.sarif import SarifLog
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from chef_supervisor.domain.outcome import Diagnostic, Result, Severity, TestCase, TestCounts, Verdict
from chef_supervisor.engine.sarif import sarif_of
from chef_supervisor.store.codec import encode_result

ERROR = Diagnostic(file="src/a.ts", line=3, column=4, severity=Severity.ERROR, code="TS1", message="no", tool="tsc")


def log_of(*found: Diagnostic, cases: tuple[TestCase, ...] = ()) -> dict[str, Any]:
    """Returns: the log of a result with these, which the official schema takes."""
    tests = TestCounts(passed=0, failed=len(cases), skipped=0, cases=cases) if cases else None
    result = Result(verdict=Verdict.FAILED, diagnostics=found, tests=tests)
    log: dict[str, Any] = orjson.loads(orjson.dumps(sarif_of(orjson.loads(encode_result(result)))))
    SarifLog.model_validate(log)
    return log


def diagnostic(**changes: Any) -> Diagnostic:
    fields = {name: getattr(ERROR, name) for name in ("file", "line", "column", "severity", "code", "message", "tool")}
    return Diagnostic(**fields | changes)


def failed(name: str, file: str = "") -> TestCase:
    return TestCase(name=name, file=file, status=Verdict.FAILED, ms=1, message="why\nand where")


def test_each_tool_has_a_run_with_its_rules() -> None:
    log = log_of(ERROR, diagnostic(code="TS2"), diagnostic(tool="eslint", code=""), diagnostic(line=9))

    assert log["version"] == "2.1.0"
    assert [(run["tool"]["driver"]["name"], len(run["results"])) for run in log["runs"]] == [("tsc", 3), ("eslint", 1)]
    tsc, eslint = log["runs"]
    assert tsc["tool"]["driver"]["rules"] == [{"id": "TS1"}, {"id": "TS2"}]
    assert [(one["ruleId"], one["ruleIndex"]) for one in tsc["results"]] == [("TS1", 0), ("TS2", 1), ("TS1", 0)]
    assert eslint["results"][0]["ruleId"] == "finding"


@pytest.mark.parametrize(
    ("severity", "level"), [(Severity.ERROR, "error"), (Severity.WARNING, "warning"), (Severity.INFO, "note")]
)
def test_severities_are_levels(severity: Severity, level: str) -> None:
    assert log_of(diagnostic(severity=severity))["runs"][0]["results"][0]["level"] == level


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("src/a.ts", "src/a.ts"),
        ("src/my file#1?.ts", "src/my%20file%231%3F.ts"),
        ("app/[id]/100%.ts", "app/%5Bid%5D/100%25.ts"),
        ("a:b.ts", "a%3Ab.ts"),
        ("sü/文.ts", "s%C3%BC/%E6%96%87.ts"),
    ],
)
def test_files_are_uris_relative_to_the_project(file: str, uri: str) -> None:
    [result] = log_of(diagnostic(file=file))["runs"][0]["results"]

    location = result["locations"][0]["physicalLocation"]
    assert location["artifactLocation"] == {"uri": uri, "uriBaseId": "PROJECTROOT"}
    assert "PROJECTROOT" in log_of(ERROR)["runs"][0]["originalUriBaseIds"]


@pytest.mark.parametrize(
    ("line", "column", "region"), [(3, 4, {"startLine": 3, "startColumn": 4}), (3, 0, {"startLine": 3}), (0, 0, None)]
)
def test_what_is_unknown_of_a_place_is_left_out(line: int, column: int, region: dict[str, int] | None) -> None:
    [result] = log_of(diagnostic(line=line, column=column))["runs"][0]["results"]

    assert result["locations"][0]["physicalLocation"].get("region") == region


def test_failed_tests_are_results_once() -> None:
    placed = diagnostic(code="test-failed", message="adds: expected 1", tool="vitest")

    log = log_of(placed, cases=(failed("adds", "a.test.ts"), failed("subtracts", "b.test.ts"), failed("divides")))

    [run] = log["runs"]
    assert [(one["message"]["text"], len(one.get("locations", ()))) for one in run["results"]] == [
        ("adds: expected 1", 1),
        ("subtracts: why", 1),
        ("divides: why", 0),
    ]


def test_a_result_without_findings_is_a_run_without_results() -> None:
    [run] = log_of()["runs"]

    assert run["results"] == []


def test_the_models_refuse_what_the_schema_does_not_know() -> None:
    log = log_of(ERROR)
    log["runs"][0]["results"][0]["level"] = "fatal"

    with pytest.raises(ValidationError):
        SarifLog.model_validate(log)


TEXT = st.text(max_size=12)


@settings(max_examples=100)
@given(
    st.lists(
        st.builds(
            Diagnostic,
            file=TEXT,
            line=st.integers(0, 2**31 - 1),
            column=st.integers(0, 2**31 - 1),
            severity=st.sampled_from(Severity),
            code=TEXT,
            message=TEXT,
            tool=TEXT,
        ),
        max_size=5,
    )
)
def test_any_result_is_a_valid_log(found: list[Diagnostic]) -> None:
    log = log_of(*found)

    assert sum(len(run["results"]) for run in log["runs"]) == len(found)
