"""What gives way where a result is larger than a document of Convex may be."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chef_supervisor.domain.analysis import Analysis, Bundle, Dependencies, Module, Package
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
from chef_supervisor.webhooks.convex_call import MOST_BYTES, arguments
from chef_supervisor.webhooks.convex_values import weight
from tests.kit.convex_rules import MOST_DOCUMENT_BYTES, check_document, imported, parsed, size
from tests.kit.messages import JOB_ID, message
from tests.unit.webhooks.convex_any import ANY_JSON

LEAST = 3_000
# Six bytes each in JSON.
NASTY = "\x01"


def failed(text_bytes: int = 1_000, entries: int = 10, letter: str = "x") -> Any:
    text = letter * text_bytes
    output = Output(head="head" + text, tail=text + "tail", dropped_bytes=7)
    return orjson.loads(
        encode_result(
            Result(
                verdict=Verdict.FAILED,
                cause=Cause.EXIT,
                message="2 tests failed",
                summary="a.test.ts: 1 is not 2",
                steps=(StepResult(name="test", status=StepStatus.FAILED, exit_code=1, ms=5, output=output),),
                tests=TestCounts(
                    passed=3,
                    failed=2,
                    skipped=1,
                    cases=tuple(
                        TestCase(name=f"test {number}", file="a.test.ts", status=Verdict.FAILED, ms=1, message=text)
                        for number in range(entries)
                    ),
                ),
                diagnostics=tuple(
                    Diagnostic(
                        file="a.ts",
                        line=number,
                        column=1,
                        severity=Severity.ERROR,
                        code="TS1",
                        message=text,
                        tool="tsc",
                    )
                    for number in range(1, entries + 1)
                ),
                artifacts=tuple(Artifact(path=f"{number}", bytes=1, sha256="0" * 64) for number in range(entries)),
                output=output,
                toolchain="npm",
                analysis=Analysis(
                    dependencies=Dependencies(locked=(Package(name="a", version="1", license="MIT"),) * entries),
                    bundle=Bundle(modules=(Module(path="a", bytes=1),) * entries),
                ),
            )
        )
    )


def test_a_result_that_fits_is_not_touched() -> None:
    args = arguments(message(result=failed()))

    assert "truncated" not in args
    assert args["result"]["steps"][0]["output"] == failed()["steps"][0]["output"]


@pytest.mark.parametrize("letter", ["x", "\u6587", NASTY])
@pytest.mark.parametrize(("text_bytes", "entries"), [(500_000, 1), (2_000, 2_000), (300_000, 60)])
def test_a_large_result_keeps_what_is_read_first(letter: str, text_bytes: int, entries: int) -> None:
    args = arguments(message(result=failed(text_bytes, entries, letter)))

    result = args["result"]
    assert (args["truncated"], args["resultPath"]) == (True, f"/api/jobs/{JOB_ID}")
    assert (result["verdict"], result["cause"], result["message"]) == ("failed", "exit", "2 tests failed")
    assert result["summary"] == "a.test.ts: 1 is not 2"
    assert [result["tests"][key] for key in ("passed", "failed", "skipped")] == [3, 2, 1]
    assert [one["name"] for one in result["tests"]["cases"]][:1] == ["test 0"]
    assert result["diagnostics"][0]["line"] == 1
    assert len(orjson.dumps(args)) <= MOST_BYTES
    check_document(imported(parsed(orjson.dumps(args))))


def test_what_nobody_reads_first_goes_first_and_no_more_than_must() -> None:
    told = message(result=failed(10_000, 20))
    whole = dict(arguments(told))
    room = weight(whole) - 5_000

    cut = dict(arguments(told, room))

    (step,), (whole_step,) = cut["result"].pop("steps"), whole["result"].pop("steps")
    assert cut["result"] == whole["result"]
    assert step["output"]["head"].startswith("head")
    assert 4_000 < len(step["output"]["head"]) < len(whole_step["output"]["head"]) - 4_000
    assert step["output"]["tail"] == whole_step["output"]["tail"]


def test_a_list_gives_way_only_as_far_as_it_must() -> None:
    told = message(result=failed(0, 300))
    room = weight(dict(arguments(told))) - 1_000

    cut = arguments(told, room)["result"]

    assert 250 < len(cut["analysis"]["dependencies"]["locked"]) < 300
    assert cut["artifacts"] == failed(0, 300)["artifacts"]


def test_output_that_was_shortened_keeps_its_outer_ends_and_counts_what_is_gone() -> None:
    args = arguments(message(result=failed(1_000_000, 0)))

    output = args["result"]["output"]
    assert output["head"].startswith("head")
    assert output["tail"].endswith("tail")
    kept = len(output["head"]) + len(output["tail"])
    assert output["droppedBytes"] == 7 + 2 * 1_000_004 - kept


def test_many_small_numbers_are_weighed_as_convex_does() -> None:
    numbers = {"numbers": [[1] * 8192] * 20}
    assert len(orjson.dumps(numbers)) < MOST_BYTES
    assert size(numbers) > MOST_DOCUMENT_BYTES

    args = arguments(message(result=numbers | {"verdict": "passed"}))

    assert (args["result"], args["truncated"]) == ({"verdict": "passed"}, True)


@settings(max_examples=50)
@given(ANY_JSON, st.integers(LEAST, 10_000))
def test_whatever_the_result_it_fits(value: Any, most_bytes: int) -> None:
    args = dict(arguments(message(result=orjson.loads(readable(value))), most_bytes))

    assert size(imported(parsed(orjson.dumps(args)))) <= most_bytes
    assert len(orjson.dumps(args)) <= most_bytes


def readable(value: Any) -> bytes:
    """Returns: a result of any shape, as large as it takes, as far as JSON can hold it."""
    try:
        return orjson.dumps(
            {"verdict": value, "diagnostics": [value] * 300, "tests": {"cases": [value] * 300}, "x": value}
        )
    except (TypeError, orjson.JSONEncodeError):
        return b"{}"
