"""F31: receivers that take connections or answers and never come to an end."""

from __future__ import annotations

import asyncio
import gzip
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from chef_supervisor.webhooks.endpoint import END_DEADLINE_S
from tests.kit.deployment import Deployment, told_to
from tests.kit.hook_kit import LOOPBACK
from tests.kit.internet import Internet
from tests.kit.raw_web import Answering, Torrent, says
from tests.kit.receiving import callback_url, receiving
from tests.kit.service import Service
from tests.kit.telling import end_in, end_tried

# Not the service's 15 s, which the slow half waits for.
_SHORT_S: Final = 1.0
# A busy machine's; with the deadline, less than the 24 s after which a lease ends its try.
_ALLOWANCE_S: Final = 8.0
_BOMB_BYTES: Final = 128 << 20
# More than any sockets on the way hold, and less than a hundredth of what is offered.
_MOST_SENT_BYTES: Final = 16 << 20
# Of a service that reads no more than it says; a bomb, or an answer that is kept, is larger.
_MOST_GROWN_BYTES: Final = 24 << 20


@contextmanager
def a_port_that_takes_no_connection() -> Iterator[int]:
    """Its queue is full, and nobody accepts: what the kernel is sent beyond that it drops."""
    with socket.create_server((LOOPBACK, 0), backlog=0) as full:
        port: int = full.getsockname()[1]
        with socket.create_connection((LOOPBACK, port)):
            yield port


async def drip_slowly(writer: asyncio.StreamWriter) -> None:
    """A byte of the head each second, for ever."""
    writer.write(b"HTTP/1.1 200 OK\r\nx: ")
    while True:
        writer.write(b"a")
        await writer.drain()
        # The pace of the fault itself; nothing waits for it.
        await asyncio.sleep(1)


def most_memory_bytes(service: Service) -> int:
    """Returns: the most that the process ever had in memory."""
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


@pytest.mark.parametrize("deadline_s", [_SHORT_S, pytest.param(None, marks=pytest.mark.slow)])
def test_f31_receivers_without_an_end_cost_a_deadline_and_no_memory_and_delay_no_other(
    deployment: Deployment, deadline_s: float | None
) -> None:
    internet = Internet(deployment.folder, deadline_s=deadline_s)
    endless = Torrent(b"HTTP/1.1 200 OK\r\n\r\n")
    huge = Torrent(b"HTTP/1.1 200 OK\r\ncontent-length: 10000000000\r\n\r\n")
    bomb = says(200, {"content-encoding": "gzip"}, gzip.compress(bytes(_BOMB_BYTES)))
    # What unpacks it would fail at it.
    liar = says(200, {"content-encoding": "gzip"}, b"not packed at all")
    answers: dict[str, Answering] = {"endless": endless, "huge": huge, "bomb": bomb, "liar": liar, "slow": drip_slowly}
    with (
        receiving(says(204)) as well,
        internet.hosts({f"{name}.example.com": answering for name, answering in answers.items()}) as sick,
        a_port_that_takes_no_connection() as port,
    ):
        internet.listen("full.example.com", port)
        service = deployment.serve(module=internet.module(), **told_to(well.url), **internet.env())
        end_in(service, deployment.submit(service, progress=False), "delivered")
        before_bytes = most_memory_bytes(service)
        urls = {host: callback_url(receiver, host) for host, receiver in sick.items()}
        urls["full.example.com"] = f"https://full.example.com:{port}/"
        began_s = time.monotonic()
        jobs = {host: deployment.submit(service, progress=False, callbackUrl=url) for host, url in urls.items()}

        for job_id in jobs.values():
            end_in(service, job_id, "delivered")
        for name in ("full", "slow"):
            host = f"{name}.example.com"
            assert end_tried(service, jobs[host], 1, f"callback.{host}")["reason"] == "timeout"
        # It is its own deadline that ended them, and not that of the lease.
        assert time.monotonic() - began_s < (deadline_s or END_DEADLINE_S) + _ALLOWANCE_S
        for name in ("endless", "huge", "bomb", "liar"):
            host = f"{name}.example.com"
            assert end_in(service, jobs[host], "delivered", f"callback.{host}")["tries"] == 1

        for torrent in (endless, huge):
            assert torrent.left.wait(30)
            assert torrent.sent_bytes < _MOST_SENT_BYTES
        assert most_memory_bytes(service) - before_bytes < _MOST_GROWN_BYTES
