"""Lookups that do not end."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from chef_supervisor.webhooks.resolving import SystemResolver

ANSWER = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 443))]


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Name servers that say nothing about `hangs` while the test lasts. Returns: what they were asked."""
    asked: list[str] = []
    over = threading.Event()

    def getaddrinfo(host: str, *_: Any, **__: Any) -> Any:
        asked.append(host)
        if host == "hangs":
            over.wait(10)
        return ANSWER

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    yield asked
    over.set()


async def give_up_on(resolver: SystemResolver, host: str) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await resolver.resolve(host, 443)


@pytest.mark.asyncio
async def test_a_lookup_that_hangs_holds_up_its_own_receiver_alone(hanging: list[str]) -> None:
    sick, healthy = SystemResolver(), SystemResolver()

    for _ in range(100):
        await give_up_on(sick, "hangs")

    assert await healthy.resolve("answers", 443) == ["192.0.2.1"]
    # The others were given up before their turn.
    assert hanging.count("hangs") == 1
    sick.close()
    healthy.close()
