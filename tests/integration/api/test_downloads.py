"""Downloads over a real socket: readers that are slow, that leave, and files that vanish meanwhile."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import httpx
import obstore
import pytest

from chef_supervisor.domain.job import JobId
from tests.integration.api.server_kit import PATIENCE_S, Serving, serving, warnings_in
from tests.kit.artifacts import artifact, artifact_store
from tests.unit.api.built_jobs import Built

pytestmark = pytest.mark.asyncio
LARGE = os.urandom(20 << 20)


@attrs.define(eq=False)
class Reads:
    """Counts the requests to the store of artifacts."""

    count: int = 0

    async def get(self, *args: object, **kwargs: object) -> object:
        self.count += 1
        return await _get(*args, **kwargs)  # type: ignore[arg-type]


_get = obstore.get_async


@asynccontextmanager
async def download() -> AsyncIterator[tuple[Serving, Built, JobId]]:
    artifacts = artifact_store()
    async with serving(artifacts=artifacts) as served:
        built = Built(served.api, artifacts)
        yield served, built, await built.job({"large.bin": LARGE, "small.txt": b"small"})


@asynccontextmanager
async def begun(served: Serving, target: str) -> AsyncIterator[asyncio.StreamReader]:
    """Yields: the connection of a download whose head was read."""
    async with served.connection() as (reader, writer):
        writer.write(f"GET {target} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ")
        yield reader


async def test_a_large_file_comes_whole() -> None:
    async with download() as (served, _, job_id):
        response = await served.client.get(f"/api/jobs/{job_id}/artifacts/large.bin")

    assert response.content == LARGE


async def test_a_reader_that_takes_nothing_is_read_ahead_for_only_a_little(monkeypatch: pytest.MonkeyPatch) -> None:
    reads = Reads()
    async with download() as (served, _, job_id):
        monkeypatch.setattr(obstore, "get_async", reads.get)
        async with begun(served, f"/api/jobs/{job_id}/artifacts/large.bin"):
            # Others are served meanwhile; what they read is counted too.
            for _ in range(20):
                await served.client.get("/api/health/live")

    assert 1 <= reads.count < len(LARGE) >> 21


async def test_a_reader_that_leaves_ends_the_reading_and_nobody_complains(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = Reads()
    async with download() as (served, _, job_id):
        monkeypatch.setattr(obstore, "get_async", reads.get)
        for target in ("/large.bin", "?format=tar.gz"):
            async with begun(served, f"/api/jobs/{job_id}/artifacts{target}") as reader:
                await reader.read(1000)
        before = reads.count
        whole = await served.client.get(f"/api/jobs/{job_id}/artifacts/small.txt")

    assert whole.content == b"small"
    assert reads.count - before < len(LARGE) >> 21
    assert warnings_in(caplog) == []


@pytest.mark.parametrize("target", ["/large.bin", "?format=tar.gz"])
async def test_a_file_that_vanishes_cuts_the_connection_and_is_told_once(
    caplog: pytest.LogCaptureFixture, target: str
) -> None:
    async with (
        download() as (served, built, job_id),
        begun(served, f"/api/jobs/{job_id}/artifacts{target}") as reader,
    ):
        await built.artifacts.remove(job_id)
        async with asyncio.timeout(PATIENCE_S):
            rest = await reader.read()

    assert len(rest) < len(LARGE)
    assert not rest.endswith(b"0\r\n\r\n")
    assert [getattr(record, "event", record.getMessage()) for record in warnings_in(caplog)] == ["artifacts.cut"]


async def test_a_client_knows_that_a_download_was_cut() -> None:
    async with download() as (served, built, _):
        job_id = await built.job({"first.bin": LARGE[:300_000], "small.txt": b"small"})
        key = f"realm/{job_id}/{artifact('small.txt', b'small').sha256}"
        await obstore.delete_async(built.artifacts.objects, key)

        with pytest.raises(httpx.RemoteProtocolError):
            await served.client.get(f"/api/jobs/{job_id}/artifacts", params={"format": "tar.gz"})
