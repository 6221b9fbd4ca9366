"""Bodies of events: their shape, the same bytes at each try, and what is left of a result that is too large."""

from __future__ import annotations

from typing import Any

import attrs
import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from chef_supervisor.domain.delivery import EventKind
from chef_supervisor.domain.outcome import (
    Artifact,
    Cause,
    Diagnostic,
    Output,
    Result,
    Severity,
    StepResult,
    StepStatus,
    TestCase,
    TestCounts,
    Verdict,
)
from chef_supervisor.store.codec import encode_result
from chef_supervisor.webhooks.event_body import MOST_BODY_BYTES, event_body
from tests.kit.messages import JOB_ID, message

_LONG = "é" * 40_000
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=5),
)


def data_of(result: Result) -> dict[str, Any]:
    body = event_body(attrs.evolve(message(), result=encode_result(result)))
    assert len(body) <= MOST_BODY_BYTES
    data: dict[str, Any] = orjson.loads(body)["data"]
    return data


def huge(**parts: Any) -> Result:
    return Result(verdict=Verdict.FAILED, cause=Cause.EXIT, message="no", summary="s" * 4096, **parts)


def step(text: str) -> StepResult:
    output = Output(head=text, tail=text, dropped_bytes=1)
    return StepResult(name="build", status=StepStatus.FAILED, exit_code=1, ms=5, output=output)


def diagnostics(count: int, message: str = "wrong") -> tuple[Diagnostic, ...]:
    return tuple(
        Diagnostic(file="a.ts", line=line, column=1, severity=Severity.ERROR, code="E", message=message, tool="tsc")
        for line in range(1, count + 1)
    )


def test_an_end_is_told_with_all_that_the_api_tells() -> None:
    told = event_body(message(result={"verdict": "passed"}))

    assert orjson.loads(told) == {
        "type": "job.completed",
        "timestamp": "2026-11-18T11:06:40.000Z",
        "data": {
            "jobId": JOB_ID,
            "seq": 3,
            "type": "build",
            "status": "completed",
            "progress": 100,
            "runs": 1,
            "chatId": "chat",
            "createdAt": "2026-11-18T11:06:38.000Z",
            "startedAt": "2026-11-18T11:06:39.000Z",
            "finishedAt": "2026-11-18T11:06:40.000Z",
            "cause": None,
            "result": {"verdict": "passed"},
        },
    }


def test_before_the_end_there_is_no_result() -> None:
    data = orjson.loads(event_body(message(EventKind.PROGRESS)))["data"]

    assert data["result"] is None
    assert data["finishedAt"] is None
    assert {"resultForgotten", "truncated", "resultPath"}.isdisjoint(data)


def test_a_result_that_is_not_kept_any_more_is_said_to_be_forgotten() -> None:
    data = orjson.loads(event_body(message(forgotten=True)))["data"]

    assert data["result"] is None
    assert data["resultForgotten"] is True


@given(_JSON)
def test_each_try_sends_the_same_bytes(result: Any) -> None:
    assert event_body(message(result=result)) == event_body(message(result=result))
    assert orjson.loads(event_body(message(result=result)))["data"]["result"] == result


def test_a_result_that_fits_is_sent_whole() -> None:
    room = MOST_BODY_BYTES - len(event_body(message(result="")))

    body = event_body(message(result="a" * room))

    assert len(body) == MOST_BODY_BYTES
    assert "truncated" not in orjson.loads(body)["data"]
    assert orjson.loads(event_body(message(result="a" * (room + 1))))["data"]["truncated"] is True


def test_a_result_that_cannot_be_read_is_left_out() -> None:
    told = attrs.evolve(message(), result=b"{" + b" " * MOST_BODY_BYTES)

    data = orjson.loads(event_body(told))["data"]

    assert (data["result"], data["truncated"], data["resultPath"]) == (None, True, f"/api/jobs/{JOB_ID}")


def test_the_outputs_of_steps_are_left_out_first() -> None:
    data = data_of(
        huge(steps=(step(_LONG),) * 10, output=Output(head=_LONG, tail="the end"), diagnostics=diagnostics(50))
    )

    assert data["truncated"] is True
    assert data["resultPath"] == f"/api/jobs/{JOB_ID}"
    assert (
        data["result"]["steps"] == [{"name": "build", "status": "failed", "exitCode": 1, "ms": 5, "output": None}] * 10
    )
    assert data["result"]["output"]["head"] == _LONG
    assert len(data["result"]["diagnostics"]) == 50


def test_then_the_output_but_for_its_end() -> None:
    data = data_of(huge(output=Output(head=_LONG * 10, tail=_LONG * 10 + "the end", dropped_bytes=5)))

    output = data["result"]["output"]
    assert output["head"] == ""
    assert output["tail"].endswith("the end")
    kept_bytes = len(output["tail"].encode())
    assert kept_bytes + output["droppedBytes"] == len((_LONG * 20 + "the end").encode()) + 5


def test_then_all_findings_tests_and_files_but_the_first() -> None:
    cases = tuple(
        TestCase(name=f"t{n}", file="a.ts", status=Verdict.FAILED, ms=1, message="m" * 900) for n in range(2_000)
    )
    files = tuple(Artifact(path=f"dist/{n}", bytes=1, sha256="0" * 64) for n in range(2_000))
    tests = TestCounts(passed=7, failed=2_000, skipped=3, cases=cases)

    result = data_of(huge(tests=tests, artifacts=files, diagnostics=diagnostics(2_000)))["result"]

    assert [found["line"] for found in result["diagnostics"]] == list(range(1, 201))
    assert [case["name"] for case in result["tests"]["cases"]] == [f"t{n}" for n in range(200)]
    assert (result["tests"]["passed"], result["tests"]["failed"], result["tests"]["skipped"]) == (7, 2_000, 3)
    assert len(result["artifacts"]) == 200


def test_whatever_is_large_verdict_summary_counts_and_the_first_findings_stay() -> None:
    cases = tuple(
        TestCase(name="\x01" * 9_000, file="a", status=Verdict.FAILED, ms=1, message=_LONG) for _ in range(500)
    )
    tests = TestCounts(passed=1, failed=500, skipped=0, cases=cases)

    result = data_of(
        huge(tests=tests, steps=(step(_LONG),) * 50, diagnostics=diagnostics(500, _LONG), warnings=(_LONG,) * 50)
    )["result"]

    assert (result["verdict"], result["cause"], result["message"]) == ("failed", "exit", "no")
    assert result["summary"] == "s" * 4096
    assert result["tests"]["failed"] == 500
    assert len(result["diagnostics"]) == 20
    assert result["diagnostics"][0]["file"] == "a.ts"


@settings(max_examples=30)
@given(inner=_JSON, name=st.sampled_from(["verdict", "summary", "tests", "diagnostics", "steps", "output", "other"]))
def test_nothing_at_all_is_larger_than_it_may_be(inner: Any, name: str) -> None:
    text = "\x01" * 200_000

    for large in ([inner, text], text, {"passed": inner, "cases": [[text]]}, {"head": text, "tail": text}):
        assert len(event_body(message(result={"verdict": "failed", name: large}))) <= MOST_BODY_BYTES
    assert len(event_body(message(result=[inner, text]))) <= MOST_BODY_BYTES
