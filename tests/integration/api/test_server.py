from __future__ import annotations

import asyncio
import contextlib
import signal
import socket

import attrs
import httpx
import pytest

from chef_supervisor.api import HealthReport, Server, make_app
from chef_supervisor.domain.errors import Misconfigured
from tests.integration.api.server_kit import PATIENCE_S, Serving, serving, warnings_in
from tests.unit.api.api_kit import Api, assert_problem, make_settings
from tests.unit.api.bad_options import PARAMETERS as OPTIONS
from tests.unit.api.bad_requests import PARAMETERS, Bad


@pytest.mark.asyncio
async def test_bad_posts_are_refused_on_a_real_connection_too() -> None:
    async with serving() as served:
        for parameter in (*PARAMETERS, *OPTIONS):
            bad = parameter.values[0]
            assert isinstance(bad, Bad)
            response = await served.client.post("/api/jobs", content=bad.body, headers=bad.headers)
            assert (response.status_code, response.json()["code"]) == (bad.status, bad.code), bad.name

        assert not served.api.store.jobs


@pytest.mark.asyncio
async def test_restarted_server_keeps_its_port() -> None:
    api = Api(settings=make_settings())
    server = Server(make_app(api.deps), api.settings.http)
    ports = []

    for _ in range(2):
        async with asyncio.TaskGroup() as group:
            group.create_task(server.run())
            await server.ready.wait()
            ports.append(server.port)
            async with httpx.AsyncClient() as client:
                assert (await client.get(f"http://127.0.0.1:{server.port}/api/health/live")).status_code == 200
            await server.stop(1.0)
    server.close()

    assert ports[0] == ports[1]
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", ports[0])


@pytest.mark.asyncio
async def test_caller_who_comes_before_the_server_runs_waits() -> None:
    api = Api(settings=make_settings())
    server = Server(make_app(api.deps), api.settings.http)
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)

    writer.close()
    server.close()


@pytest.mark.asyncio
async def test_taken_port_is_told_with_its_setting() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        api = Api(settings=make_settings())
        server = Server(make_app(api.deps), attrs.evolve(api.settings.http, port=port))

        with pytest.raises(Misconfigured, match=f"http.port={port}"):
            await server.run()


@pytest.mark.asyncio
async def test_stop_lets_a_request_finish_and_ends_streams_and_long_polls() -> None:
    async with serving(body_timeout_s=5.0) as served, served.connection() as (reader, writer):
        job_id = await served.api.posted()
        async with asyncio.TaskGroup() as group:
            stream = group.create_task(served.client.get("/api/events"))
            polling = group.create_task(served.client.get(f"/api/jobs/{job_id}?wait=30"))
            await served.readers(2)
            writer.write(b"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n")
            writer.write(b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n")
            await reader.readuntil(b"\r\n\r\n")

            stopping = group.create_task(served.server.stop(PATIENCE_S))
            assert (await polling).json()["status"] == "pending"
            assert (await stream).status_code == 200
            assert not stopping.done()
            writer.write(b"{}")
            answer = await reader.read()

    assert b"422" in answer
    assert served.finished.done()


@pytest.mark.asyncio
async def test_stop_cuts_what_does_not_finish_in_time(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(body_timeout_s=60.0) as served, served.connection() as (reader, writer):
        writer.write(b"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n")
        writer.write(b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")

        async with asyncio.timeout(PATIENCE_S):
            await served.server.stop(0.01)

        assert served.finished.done()
        with contextlib.suppress(ConnectionResetError):
            assert b"201" not in await reader.read()

    assert not [record for record in warnings_in(caplog) if record.exc_info]


@pytest.mark.asyncio
async def test_cancelled_server_leaves_nothing_behind() -> None:
    api = Api(settings=make_settings())
    server = Server(make_app(api.deps), api.settings.http)
    before = asyncio.all_tasks()
    async with asyncio.TaskGroup() as group:
        running = group.create_task(server.run())
        await server.ready.wait()
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n")
        writer.write(b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        running.cancel()
    writer.close()
    server.close()

    assert not server.ready.is_set()
    with contextlib.suppress(ConnectionResetError):
        assert await reader.read() == b""
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(*(asyncio.all_tasks() - before), return_exceptions=True)


@pytest.mark.asyncio
async def test_signals_are_left_alone(served: Serving) -> None:
    assert signal.getsignal(signal.SIGTERM) in {signal.SIG_DFL, signal.default_int_handler}
    assert (await served.client.get("/api/health/live")).status_code == 200


@pytest.mark.asyncio
async def test_crash_is_500_and_logged_once(served: Serving, caplog: pytest.LogCaptureFixture) -> None:
    def crash() -> HealthReport:
        raise ZeroDivisionError

    object.__setattr__(served.api.deps, "health", crash)

    response = await served.client.get("/api/health")

    assert_problem(response, 500, "internal_error")
    assert response.headers["connection"] == "close"
    [record] = warnings_in(caplog)
    assert record.name == "chef.api.http"
    assert record.exc_info


@pytest.mark.asyncio
async def test_health_answers_while_redis_hangs(served: Serving) -> None:
    served.api.store.hangs = True

    response = await served.client.get("/api/health")

    assert response.status_code == 503


@pytest.mark.asyncio
async def test_health_comes_back_by_itself(served: Serving) -> None:
    served.api.store.away = True
    away = await served.client.get("/api/health")
    served.api.store.away = False
    async with asyncio.timeout(PATIENCE_S):
        while (back := await served.client.get("/api/health")).status_code != 200:
            pass

    assert (away.status_code, back.json()["redis"]) == (503, "connected")
