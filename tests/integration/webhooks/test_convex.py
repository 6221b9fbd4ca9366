"""Deliveries to a deployment of Convex, on a real socket."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from chef_supervisor.domain.delivery import Answer, Answered, EventKind
from chef_supervisor.webhooks.convex import ConvexReceiver
from chef_supervisor.webhooks.convex_call import FunctionKind, Functions
from chef_supervisor.webhooks.convex_config import ConvexConfig
from chef_supervisor.webhooks.receiver import Receiver
from tests.integration.webhooks.convex_app import FIELDS, KEY, delivered, receiving
from tests.kit.convex_double import CODES, ConvexDouble, Function, Thrown, convex_double
from tests.kit.messages import message

pytestmark = pytest.mark.asyncio

TAKEN = Answer(answered=Answered.TAKEN)
FUNCTION_FAILED = Answer(answered=Answered.REFUSED, reason="function_failed")
AGAIN = {408, 421, 425, 429, 500, 503}


@pytest_asyncio.fixture
async def double() -> AsyncIterator[ConvexDouble]:
    async with convex_double() as made:
        made.keys = {"name|secret": True, "secret": True, "name|read-only": False}
        made.functions = {"jobs:onResult": receiving(made), "jobs:onProgress": receiving(made)}
        yield made


async def test_an_end_reaches_an_internal_function_with_all_that_is_known(double: ConvexDouble) -> None:
    answer = await delivered(double.url, message(EventKind.FAILED, {"verdict": "failed"}, cause="exit"))

    (taken,) = double.taken
    assert answer == TAKEN
    assert (taken.kind, taken.path, taken.client) == ("mutation", "jobs:onResult", "chef-supervisor-0.1.0")
    assert taken.caller.admin
    assert double.documents == [taken.args]
    assert taken.args["result"] == {"verdict": "failed"}
    assert taken.args.keys() <= FIELDS.keys()


@pytest.mark.parametrize("kind", [EventKind.STARTED, EventKind.PROGRESS])
async def test_starts_and_progress_go_to_the_other_function(double: ConvexDouble, kind: EventKind) -> None:
    assert await delivered(double.url, message(kind)) == TAKEN
    assert [taken.path for taken in double.taken] == ["jobs:onProgress"]


async def test_actions_are_called_as_such_and_a_mutation_is_none(double: ConvexDouble) -> None:
    functions = Functions(result="hooks/jobs:done", kind=FunctionKind.ACTION)
    double.functions["hooks/jobs:done"] = Function(run=lambda _: None, kind="action")

    assert await delivered(double.url, message(), functions=functions) == TAKEN
    assert await delivered(double.url, message(EventKind.PROGRESS), functions=functions) == FUNCTION_FAILED
    assert [(taken.kind, taken.path) for taken in double.taken] == [("action", "hooks/jobs:done")]


@pytest.mark.parametrize("error_status", [200, 560])
@pytest.mark.parametrize("thrown", [Thrown(), Thrown({"reason": "no such chat"}), Thrown("no")])
async def test_a_function_that_throws_has_failed_under_both_statuses(
    double: ConvexDouble, error_status: int, thrown: Thrown
) -> None:
    def throw(_: dict[str, Any]) -> None:
        raise thrown

    double.error_status = error_status
    double.functions["jobs:onResult"] = Function(run=throw)

    assert await delivered(double.url, message()) == FUNCTION_FAILED


@pytest.mark.parametrize("functions", [Functions(result="jobs:gone"), Functions(result="jobs")])
async def test_a_function_that_is_not_there_has_failed(double: ConvexDouble, functions: Functions) -> None:
    assert await delivered(double.url, message(), functions=functions) == FUNCTION_FAILED


async def test_arguments_that_the_validators_do_not_know_fail(double: ConvexDouble) -> None:
    double.functions["jobs:onResult"] = Function(run=double.store, fields={"jobId": True})

    assert await delivered(double.url, message()) == FUNCTION_FAILED


@pytest.mark.parametrize("status", CODES)
async def test_every_status_of_convex_is_told_as_what_it_is(double: ConvexDouble, status: int) -> None:
    double.failing = (status, {"retry-after": "9"})

    answer = await delivered(double.url, message())

    assert (answer.answered, answer.reason) == (
        Answered.FAILED if status in AGAIN else Answered.REFUSED,
        f"http_{status}",
    )
    assert answer.throttled == (status in {429, 503})
    assert answer.retry_after_s == (9 if status in AGAIN else None)


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (KEY, ""),
        ("name|secret", ""),
        ("dev:name|secret", ""),
        ("preview:team:project|secret", ""),
        ("prod:name|other", "http_401"),
        ("prod:name|read-only", "http_403"),
        # Without a key, and a function that is not public.
        ("", "function_failed"),
    ],
)
async def test_keys_are_given_as_they_were_copied(double: ConvexDouble, key: str, reason: str) -> None:
    answer = await delivered(double.url, message(), deploy_key=key)

    assert answer.reason == reason
    assert len(double.documents) == (not reason)


async def test_without_a_key_a_public_function_is_called(double: ConvexDouble) -> None:
    double.functions["jobs:onResult"] = receiving(double, public=True)

    assert await delivered(double.url, message(), deploy_key="") == TAKEN


async def test_a_huge_result_is_stored_cut(double: ConvexDouble) -> None:
    output = {"head": "\u6587" * 200_000, "tail": "\x1b" * 800_000, "droppedBytes": 0}

    answer = await delivered(double.url, message(result={"verdict": "passed", "output": output, "a/b": [{}] * 9_000}))

    assert answer == TAKEN
    assert double.documents[0]["truncated"]


async def test_long_answers_of_a_function_count_as_what_they_are(double: ConvexDouble) -> None:
    double.log_lines = ["x" * 4096] * 256

    assert await delivered(double.url, message()) == TAKEN
    double.functions.clear()
    assert await delivered(double.url, message()) == FUNCTION_FAILED


async def test_what_a_function_says_and_the_key_are_told_nowhere(
    double: ConvexDouble, caplog: pytest.LogCaptureFixture
) -> None:
    def throw(_: dict[str, Any]) -> None:
        raise Thrown({"told": "private-words"}, "private-words")

    caplog.set_level(logging.DEBUG)
    double.functions["jobs:onResult"] = Function(run=throw)
    receiver: Receiver = ConvexReceiver(ConvexConfig(url=f"{double.url}/", deploy_key=KEY))

    answer = await receiver.deliver(message(result={"verdict": "private-words"}))
    await receiver.close()

    ours = [record for record in caplog.records if record.name.startswith(("chef_supervisor", "httpx"))]
    told = json.dumps([record.__dict__ for record in ours], default=str) + repr((answer, receiver))
    said, advised = [record.getMessage() for record in ours]
    assert said == f"convex: jobs:onResult of {message().job_id}: function_failed"
    assert advised.startswith("Convex refused a call of jobs:onResult (function_failed): it threw, ")
    assert [word for word in ("private-words", KEY, "secret") if word in told] == []
    assert double.url not in json.dumps([record.__dict__ for record in ours], default=str)
