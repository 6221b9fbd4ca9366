"""F45: clients that do not wait for their answers."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Iterator
from urllib.parse import urlsplit

import attrs
import httpx
import pytest

from tests.integration.api.server_kit import PATIENCE_S, Serving, serving, warnings_in
from tests.integration.api.test_protocol import BODY, HOST, LENGTH, POST
from tests.kit.deployment import Deployment, tiny_job
from tests.kit.fake_store import FakeStore
from tests.kit.service import Service

CLIENTS = 40


@attrs.define(eq=False)
class Gated(FakeStore):
    """A call of that name is not answered before the gate opens."""

    gated: str = ""
    gate: asyncio.Event = attrs.field(factory=asyncio.Event)

    async def _enter(self, name: str) -> None:
        await super()._enter(name)
        if name == self.gated:
            await self.gate.wait()


async def _until_answered(served: Serving) -> None:
    """A stop waits for all requests under way, also those that nobody waits for."""
    async with asyncio.timeout(PATIENCE_S):
        await served.server.stop(PATIENCE_S)


@pytest.mark.asyncio
async def test_f45_the_job_of_a_client_that_left_after_its_body_is_kept(caplog: pytest.LogCaptureFixture) -> None:
    store = Gated(gated="submit")
    async with serving(store=store) as served:
        async with served.connection() as (_, writer):
            writer.write(POST + LENGTH + b"\r\n" + BODY)
            await store.called("submit")
            writer.transport.abort()
        store.gate.set()
        await _until_answered(served)

    assert len(store.jobs) == 1
    assert warnings_in(caplog) == []


@pytest.mark.parametrize(("method", "call"), [(b"GET", "read"), (b"DELETE", "cancel")])
@pytest.mark.asyncio
async def test_f45_a_client_that_leaves_before_its_answer_is_no_noise(
    caplog: pytest.LogCaptureFixture, method: bytes, call: str
) -> None:
    store = Gated(gated=call)
    async with serving(store=store) as served:
        job_id = await served.api.posted()
        async with served.connection() as (_, writer):
            writer.write(method + b" /api/jobs/" + job_id.encode() + b" HTTP/1.1\r\n" + HOST + b"\r\n")
            await store.called(call)
            writer.transport.abort()
        store.gate.set()
        await _until_answered(served)

    assert (store.jobs[job_id].state.status == "cancelled") is (call == "cancel")
    assert warnings_in(caplog) == []


def _parts_sent(request: bytes) -> Iterator[bytes]:
    """Yield what each client gets to send: ever more of the request, and for most of them all."""
    for number in range(CLIENTS):
        yield request[: max(1, len(request) * (number + 1) * 2 // CLIENTS)]


def _send_and_leave(service: Service, sent: bytes, *, reset: bool) -> None:
    where = urlsplit(service.url)
    with socket.create_connection((where.hostname, where.port)) as connection:
        if reset:
            # Closing sends RST in place of FIN: what was sent may not even be read.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.sendall(sent)


def _request(key: str, body: bytes) -> bytes:
    head = f"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: {key}\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def test_f45_clients_that_leave_at_any_moment_leave_whole_jobs_or_none(deployment: Deployment) -> None:
    service = deployment.serve()
    body = json.dumps(tiny_job()).encode()
    for number, sent in enumerate(_parts_sent(_request("KEY", body))):
        _send_and_leave(service, sent.replace(b"KEY", b"%03d" % number), reset=number % 2 == 0)

    with service.client() as client:
        headers = [{"Idempotency-Key": f"{n:03d}", "Content-Type": "application/json"} for n in range(CLIENTS)]
        answers = [client.post("/api/jobs", content=body, headers=header) for header in headers]

    assert {answer.status_code for answer in answers} == {httpx.codes.CREATED}
    deployment.accepted += [answer.json()["jobId"] for answer in answers]
    assert len(set(deployment.accepted)) == CLIENTS
    # Of those that sent all and closed in order, the job was queued before it was asked for again.
    whole = [answer for n, answer in enumerate(answers) if n % 2 and n >= CLIENTS // 2]
    assert ["Idempotent-Replayed" in answer.headers for answer in whole] == [True] * len(whole)
    service.results_of(deployment.accepted)
    assert deployment.violations() == []
    assert [record for record in service.records if record.get("level") in {"error", "critical"}] == []
    assert "Traceback" not in str(service.records)
