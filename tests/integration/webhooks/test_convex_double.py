"""The double of Convex refuses what Convex refuses; what its own client makes of it is in test_convex_client."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.kit.convex_double import ConvexDouble, Function, convex_double

pytestmark = pytest.mark.asyncio

CALL = {"path": "app:tell", "args": {"a": 1}, "format": "json"}
JSON = {"content-type": "application/json"}
ADMIN = {"authorization": "convex dev:name|secret"}


@pytest_asyncio.fixture
async def double() -> AsyncIterator[ConvexDouble]:
    async with convex_double() as made:
        made.keys = {"name|secret": True}
        made.functions = {
            "app:tell": Function(run=lambda args: args, public=True),
            "app:default": Function(run=lambda args: args),
        }
        yield made


async def post(double: ConvexDouble, path: str = "/api/mutation", **how: Any) -> Any:
    async with httpx.AsyncClient(base_url=double.url, verify=False) as client:
        return await client.post(path, **how)


@pytest.mark.parametrize("args", [{"a": 1}, [{"a": 1}]])
@pytest.mark.parametrize("path", ["/api/mutation", "/api/function", "/api/run/app/tell"])
async def test_both_forms_of_arguments_are_taken_at_every_address(double: ConvexDouble, path: str, args: Any) -> None:
    response = await post(double, path, json=CALL | {"args": args})

    assert (response.status_code, response.json()) == (200, {"status": "success", "value": {"a": 1.0}})
    assert [(taken.path, taken.args) for taken in double.taken] == [("app:tell", {"a": 1})]


async def test_a_default_export_needs_no_name_and_a_key_may_be_in_the_query(double: ConvexDouble) -> None:
    response = await post(double, "/api/mutation?adminKey=name|secret", json=CALL | {"path": "app"})

    assert response.json()["status"] == "success"


@pytest.mark.parametrize("kind", ["action", "query"])
async def test_a_mutation_is_called_as_one(double: ConvexDouble, kind: str) -> None:
    response = await post(double, f"/api/{kind}", json=CALL)

    assert (response.status_code, response.json()["status"]) == (200, "error")


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"convex-client": "chef-supervisor"}, "InvalidVersion"),
        ({"convex-client": "npm-1.2.3.4"}, "InvalidVersion"),
        ({"convex-client": "npm-1.2.3-beta.1"}, None),
        ({"authorization": "Convex name|other"}, "BadAdminKey"),
        ({"authorization": "Bearer token"}, "InvalidAuthHeader"),
        ({"authorization": "Basic token"}, "InvalidHeaderFailure"),
        ({"authorization": "Convex name|secret:%%"}, "HeaderParseFailure"),
        ({"authorization": "Convex prod:name|secret:" + base64.b64encode(b'{"subject":"s"}').decode()}, None),
        ({"content-type": "text/plain"}, "BadJsonBody"),
    ],
)
async def test_headers_are_judged(double: ConvexDouble, headers: dict[str, str], code: str | None) -> None:
    response = await post(double, json=CALL, headers=headers)

    assert response.json().get("code") == code
    assert len(double.taken) == (code is None)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("{", "BadJsonBody"),
        ('{"path":"app:tell"}', "BadJsonBody"),
        ('{"path":"app:tell","args":{"a":NaN}}', "BadJsonBody"),
        (r'{"path":"app:tell","args":{"a":"\ud800"}}', "BadJsonBody"),
        ('{"path":"app tell","args":{}}', "BadConvexFunctionIdentifier"),
        ('{"args":{}}', "BadConvexFunctionIdentifier"),
        ('{"path":"app:tell","args":[{},{}]}', "BadArgs"),
        ('{"path":"app:tell","args":[]}', "BadArgs"),
        ('{"path":"app:tell","args":{"src/\u6587.ts":1}}', "BadArgs"),
        ('{"path":"app:tell","args":{"$a":1}}', "BadArgs"),
        ('{"path":"app:tell","args":{"a":' + "[" * 64 + "]" * 64 + "}}", "BadArgs"),
    ],
)
async def test_bodies_are_judged(double: ConvexDouble, body: str, code: str) -> None:
    response = await post(double, content=body.encode(), headers=JSON | ADMIN)

    assert (response.status_code, response.json()["code"]) == (400, code)
    assert double.taken == []


async def test_documents_are_judged_when_they_are_stored(double: ConvexDouble) -> None:
    double.functions["app:tell"] = Function(run=double.store)

    documents: list[dict[str, Any]] = [
        {"a": "x" * 1_048_000},
        {"a": "x" * 1_049_000},
        {"_a": 1},
        {"a": [[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]},
    ]

    answers = [await post(double, json=CALL | {"args": document}, headers=ADMIN) for document in documents]

    assert [answer.json()["status"] for answer in answers] == ["success", "error", "error", "error"]
