"""The public client of Convex finds the double to be what it is used to; so what we see of the double is true of Convex."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.kit.convex_double import ConvexDouble, Function, Thrown, convex_double
from tests.kit.npm_project import NpmProject, npm_project

pytestmark = pytest.mark.asyncio

HIDDEN = "[Request ID: 0123456789abcdef] Server Error"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> NpmProject:
    return npm_project(Path(__file__).parent / "convex_client", tmp_path_factory.mktemp("convex-client"))


@pytest_asyncio.fixture
async def double() -> AsyncIterator[ConvexDouble]:
    async with convex_double() as made:
        made.keys = {"name|secret": True, "name|read-only": False}
        made.functions = {
            "app:echo": Function(run=lambda args: args, public=True),
            "app:tell": Function(run=made.store, fields={"jobId": False}),
            "app:work": Function(run=lambda _: "worked", kind="action"),
            "app:refuse": Function(run=lambda _: _throw(Thrown({"reason": ["taken", 1]}))),
            "app:fail": Function(run=lambda _: _throw(Thrown())),
        }
        yield made


def _throw(thrown: Thrown) -> None:
    raise thrown


async def driven(project: NpmProject, double: ConvexDouble) -> dict[str, Any]:
    code, printed = await project.run("node", "drive.mjs", double.url)
    assert code == 0, printed
    return dict(json.loads(printed))


@pytest.mark.parametrize("error_status", [200, 560])
async def test_the_public_client_is_at_home(project: NpmProject, double: ConvexDouble, error_status: int) -> None:
    double.error_status = error_status
    double.log_lines = ["'a line of the log'"]

    found = await driven(project, double)

    values = {"text": "\u6587", "number": 1.5, "whole": 7, "none": None, "list": [True, {"a": []}]}
    assert found["public"] == {"value": values}
    assert found["own"] == {"value": {"big": str(2**40), "bytes": [1, 2], "nan": True, "zero": True}}
    assert (found["admin"], found["acting"]) == ({"value": "document1"}, {"value": "document2"})
    assert found["action"] == {"value": "worked"}
    assert found["convexError"]["convexError"]
    assert found["convexError"]["data"] == {"reason": ["taken", 1]}
    assert found["error"] == {"message": HIDDEN, "convexError": False}
    assert found["hidden"]["message"].startswith("Could not find public function for 'app:tell'")
    assert found["wrongKind"]["message"].startswith("Trying to execute app:work as mutation")
    assert found["extra"]["message"].startswith("ArgumentValidationError")
    assert found["tooLarge"]["message"] == HIDDEN
    assert json.loads(found["badKey"]["message"])["code"] == "BadAdminKey"
    assert json.loads(found["noPermission"]["message"])["code"] == "BadDeployKey"
    assert json.loads(found["longArray"]["message"])["code"] == "BadArgs"


async def test_the_client_says_who_it_is(project: NpmProject, double: ConvexDouble) -> None:
    await driven(project, double)

    acting = [taken.caller.acting_as for taken in double.taken if taken.caller.acting_as]
    assert {taken.client for taken in double.taken} == {"npm-1.48.0"}
    assert [who["subject"] for who in acting if who] == ["s"]


async def test_other_statuses_are_errors_to_the_client_too(project: NpmProject, double: ConvexDouble) -> None:
    double.failing = (503, {})

    found = await driven(project, double)

    codes = {json.loads(one["message"])["code"] for one in found.values() if "list" not in one}
    assert codes == {"OptimisticConcurrencyControlFailure"}
