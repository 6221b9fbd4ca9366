"""The call that a message becomes."""

from __future__ import annotations

import re
from typing import Any

import attrs
import orjson
import pytest

from chef_supervisor.domain.delivery import EventKind
from chef_supervisor.webhooks.convex_call import FunctionKind, Functions, arguments, call_of, client_header
from tests.kit.convex_keys import check_client
from tests.kit.convex_rules import MOST_DOCUMENT_LEVELS, levels
from tests.kit.messages import AT_MS, JOB_ID, message

ENDS = [kind for kind in EventKind if kind.terminal]


def called(body: bytes) -> dict[str, Any]:
    return dict(orjson.loads(body))


def test_an_end_tells_all_there_is() -> None:
    told = message(EventKind.FAILED, {"verdict": "failed", "cause": "exit"}, cause="exit")

    call = call_of(told, Functions())

    assert call.function == "jobs:onResult"
    assert called(call.body) == {
        "path": "jobs:onResult",
        "format": "json",
        "args": {
            "eventId": told.event_id,
            "seq": 3,
            "event": "job.failed",
            "jobId": JOB_ID,
            "chatId": "chat",
            "type": "build",
            "status": "failed",
            "progress": 100,
            "runs": 1,
            "at": AT_MS,
            "createdAt": AT_MS - 2_000,
            "startedAt": AT_MS - 1_000,
            "finishedAt": AT_MS,
            "cause": "exit",
            "result": {"verdict": "failed", "cause": "exit"},
        },
    }


@pytest.mark.parametrize("kind", EventKind)
def test_ends_go_to_one_function_and_all_else_to_the_other(kind: EventKind) -> None:
    functions = Functions(result="a/b:done", progress="steps", kind=FunctionKind.ACTION)

    call = call_of(message(kind), functions)

    assert call.function == called(call.body)["path"] == ("a/b:done" if kind in ENDS else "steps")


def test_what_is_not_known_is_left_out() -> None:
    args = arguments(message(EventKind.PROGRESS, started_at_ms=None, created_at_ms=None, tenant=None))

    assert args.keys().isdisjoint({"startedAt", "createdAt", "finishedAt", "chatId", "cause", "result", "truncated"})


def test_a_job_that_is_not_kept_any_more_says_so() -> None:
    args = arguments(message(forgotten=True))

    assert args["resultForgotten"] is True
    assert "result" not in args


def test_a_result_that_nobody_can_read_is_linked() -> None:
    args = arguments(attrs.evolve(message(), result=b"{"))

    assert (args["result"], args["truncated"], args["resultPath"]) == ({}, True, f"/api/jobs/{JOB_ID}")


def test_the_arguments_themselves_are_a_level_of_the_document() -> None:
    deep: Any = {}
    for _ in range(20):
        deep = {"a": deep}

    args = arguments(message(result=deep))

    assert levels(dict(args)) == MOST_DOCUMENT_LEVELS
    assert args["truncated"] is True


@pytest.mark.parametrize("name", ["jobs:onResult", "jobs", "a/b/c:d", "a.b:_c1", "x:default"])
def test_functions_are_named_as_in_convex(name: str) -> None:
    assert Functions(result=name).result == name


@pytest.mark.parametrize("name", ["", "jobs:", ":on", "a:b:c", "/jobs:x", "jobs/:x", "jobs:on Result", "j\u00f6bs:x"])
def test_what_cannot_be_a_function_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=re.escape("write it as `jobs:onResult`")):
        Functions(progress=name)


@pytest.mark.parametrize(
    ("version", "header"),
    [
        ("0.1.0", "chef-supervisor-0.1.0"),
        ("0.2.0rc1", "chef-supervisor-0.2.0"),
        ("1.2.3.dev4", "chef-supervisor-1.2.3"),
        ("2", "chef-supervisor-0.0.0"),
    ],
)
def test_the_client_is_named_as_convex_wants_it(version: str, header: str) -> None:
    assert client_header(version) == header
    assert check_client(header) == header
