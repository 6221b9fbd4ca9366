"""What is delivered is verified as receivers do it: by the public packages for Python and for Node."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import attrs
import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from chef_supervisor.domain.delivery import EventKind
from tests.kit.hook_kit import SECRET, an_endpoint
from tests.kit.messages import message
from tests.kit.npm_project import npm_project
from tests.kit.raw_web import Received, raw_web, says

OTHER: Final = f"whsec_{base64.b64encode(bytes(range(24))).decode()}"
# Receivers take what is at most five minutes old, or ahead.
TOO_MUCH_S: Final = 310
VERIFIER: Final = Path(__file__).parent / "verifier"

Verifier = Callable[[Sequence[tuple[str, Received]]], Awaitable[list[bool]]]


async def by_python(requests: Sequence[tuple[str, Received]]) -> list[bool]:
    return [_accepts(secret, request.headers, request.body) for secret, request in requests]


def _accepts(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    try:
        Webhook(secret).verify(body, dict(headers))
    except WebhookVerificationError:
        return False
    return True


@pytest.fixture(scope="module")
def by_node(tmp_path_factory: pytest.TempPathFactory) -> Verifier:
    project = npm_project(VERIFIER, tmp_path_factory.mktemp("verifier"))

    async def verify(requests: Sequence[tuple[str, Received]]) -> list[bool]:
        cases = [
            {"secret": secret, "headers": request.headers, "body": request.body.decode()}
            for secret, request in requests
        ]
        (project.folder / "cases.json").write_text(json.dumps(cases))
        code, printed = await project.run("node", "verify.mjs", "cases.json")
        assert code == 0, printed
        verdicts = json.loads(printed)
        assert set(verdicts) <= {"accepted", "WebhookVerificationError"}
        return [verdict == "accepted" for verdict in verdicts]

    return verify


@pytest.fixture(params=["python", "node"])
def verifier(request: pytest.FixtureRequest) -> Any:
    return by_python if request.param == "python" else request.getfixturevalue("by_node")


async def delivered(*secrets: str, ahead_s: int = 0) -> list[Received]:
    """Returns: one request for each kind of event."""
    async with raw_web(says(200)) as server:
        async with an_endpoint(f"http://127.0.0.1:{server.port}/", secrets=secrets) as endpoint:
            endpoint.clock = lambda: time.time() + ahead_s
            for kind in EventKind:
                await endpoint.deliver(message(kind, {"summary": "é\U0001f600\u2028"} if kind.terminal else None))
        return server.received


@pytest.mark.asyncio
async def test_every_delivery_is_accepted(verifier: Verifier) -> None:
    requests = await delivered(SECRET)

    assert await verifier([(SECRET, request) for request in requests]) == [True] * len(EventKind)


@pytest.mark.asyncio
async def test_while_secrets_rotate_the_holder_of_either_accepts(verifier: Verifier) -> None:
    requests = await delivered(OTHER, SECRET)

    assert await verifier([(secret, request) for request in requests for secret in (SECRET, OTHER)]) == [True] * 12


@pytest.mark.asyncio
async def test_a_changed_byte_is_refused(verifier: Verifier) -> None:
    request = (await delivered(SECRET))[-1]
    changed = [
        attrs.evolve(request, body=request.body[:at] + bytes([request.body[at] ^ 1]) + request.body[at + 1 :])
        for at in (0, 9, len(request.body) - 1)
    ]
    other_id = attrs.evolve(request, headers=dict(request.headers) | {"webhook-id": "evt_other_1"})

    assert await verifier([(SECRET, one) for one in (*changed, other_id)]) == [False] * 4


@pytest.mark.asyncio
async def test_an_old_timestamp_is_refused(verifier: Verifier) -> None:
    requests = [(await delivered(SECRET, ahead_s=seconds))[0] for seconds in (-TOO_MUCH_S, TOO_MUCH_S)]

    assert await verifier([(SECRET, request) for request in requests]) == [False, False]


@pytest.mark.asyncio
async def test_a_wrong_secret_is_refused(verifier: Verifier) -> None:
    requests = await delivered(SECRET)

    assert await verifier([(OTHER, request) for request in requests]) == [False] * len(EventKind)
