"""Lookups that do not end."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, Final

import attrs
import pytest

from chef_supervisor.webhooks import resolving
from chef_supervisor.webhooks.convex import ConvexReceiver
from chef_supervisor.webhooks.convex_config import ConvexConfig
from chef_supervisor.webhooks.resolving import SystemResolver
from tests.kit.messages import message

ANSWER = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 443))]


HANGS_S: Final = 60
WITHIN_S: Final = 30.0
ENDS_IN_A_LOOKUP: Final = f"""
import asyncio, socket, threading
from chef_supervisor.webhooks.resolving import SystemResolver

began = threading.Event()

def hangs(*_, **__):
    began.set()
    threading.Event().wait({HANGS_S})

async def main():
    asking = asyncio.ensure_future(SystemResolver().resolve("hangs", 443))
    await asyncio.to_thread(began.wait)

socket.getaddrinfo = hangs
asyncio.run(main())
"""


@attrs.frozen
class Hanging:
    """Name servers that say nothing about `hangs` until it is over."""

    asked: list[str] = attrs.field(factory=list)
    began: threading.Event = attrs.field(factory=threading.Event)
    over: threading.Event = attrs.field(factory=threading.Event)

    def getaddrinfo(self, host: str, *_: Any, **__: Any) -> Any:
        """Answer about all other names."""
        self.asked.append(host)
        if host == "hangs":
            self.began.set()
            self.over.wait(HANGS_S)
        return ANSWER


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hanging]:
    made = Hanging()
    monkeypatch.setattr(socket, "getaddrinfo", made.getaddrinfo)
    yield made
    made.over.set()


async def give_up_on(resolver: SystemResolver, host: str) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await resolver.resolve(host, 443)


@asynccontextmanager
async def a_lookup_that_hangs(resolver: SystemResolver, hanging: Hanging) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(resolver.resolve("hangs", 443))
        assert await asyncio.to_thread(hanging.began.wait, WITHIN_S)
        yield
        asking.cancel()


@pytest.mark.asyncio
async def test_a_lookup_that_hangs_holds_up_its_own_receiver_alone(hanging: Hanging) -> None:
    sick, healthy = SystemResolver(), SystemResolver()

    async with a_lookup_that_hangs(sick, hanging):
        for _ in range(100):
            await give_up_on(sick, "hangs")

        assert await healthy.resolve("answers", 443) == ["192.0.2.1"]
    # The others were given up before their turn.
    assert hanging.asked.count("hangs") == 1
    sick.close()
    healthy.close()


@pytest.mark.asyncio
async def test_a_deployment_whose_name_servers_are_silent_holds_up_no_other_lookup(hanging: Hanging) -> None:
    convex = ConvexReceiver(ConvexConfig(url="https://hangs", end_s=0.05))

    answers = [await convex.deliver(message()) for _ in range(3)]

    assert {answer.reason for answer in answers} == {"timeout"}
    assert hanging.asked == ["hangs"]
    # By the loop's own way to ask, which has few threads for the whole process.
    assert await asyncio.get_running_loop().getaddrinfo("answers", 443) == ANSWER
    await convex.close()


@pytest.mark.asyncio
async def test_of_all_receivers_together_only_so_many_lookups_may_hang(
    hanging: Hanging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolving, "_threads", threading.BoundedSemaphore(1))
    sick, late = SystemResolver(), SystemResolver()

    async with a_lookup_that_hangs(sick, hanging):
        sick.close()
        with pytest.raises(socket.gaierror):
            await late.resolve("answers", 443)
        hanging.over.set()
        assert await asyncio.to_thread(resolving._threads.acquire, timeout=WITHIN_S)
        resolving._threads.release()

        assert await late.resolve("answers", 443) == ["192.0.2.1"]
    late.close()


@pytest.mark.asyncio
async def test_one_that_is_closed_asks_nobody_any_more(hanging: Hanging) -> None:
    resolver = SystemResolver()
    resolver.close()

    with pytest.raises(socket.gaierror):
        await resolver.resolve("answers", 443)
    assert hanging.asked == []


@pytest.mark.parametrize("trouble", [socket.gaierror(socket.EAI_AGAIN, ""), UnicodeError(), OSError()])
@pytest.mark.asyncio
async def test_whatever_goes_wrong_is_that_the_name_has_no_address(
    trouble: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def getaddrinfo(*_: Any, **__: Any) -> Any:
        raise trouble

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    resolver = SystemResolver()

    with pytest.raises(socket.gaierror) as raised:
        await resolver.resolve("hooks.example.com", 443)

    assert raised.value is trouble or raised.value.errno == socket.EAI_NONAME
    resolver.close()


def test_a_lookup_that_hangs_does_not_hold_up_the_end_of_the_process() -> None:
    ended = subprocess.run([sys.executable, "-c", ENDS_IN_A_LOOKUP], timeout=HANGS_S / 2, check=False)

    assert ended.returncode == 0
