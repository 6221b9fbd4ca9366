"""Calls to the engine that hang, or whose callers leave: bounded, and never more threads than there may be."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from chef_supervisor.domain.errors import SandboxUnavailable
from chef_supervisor.sandboxes.config import DockerConfig
from chef_supervisor.sandboxes.docker.engine import Engine


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setattr(Engine, "_connected", lambda _: None)
    engine = Engine(DockerConfig(call_timeout_s=5))
    yield engine
    engine.close()


@pytest.mark.asyncio
async def test_a_call_that_hangs_is_given_up(engine: Engine) -> None:
    released = threading.Event()

    with pytest.raises(SandboxUnavailable, match="in time"):
        await engine.call(lambda _: released.wait(5), "wait", timeout_s=0.01)

    released.set()


@pytest.mark.asyncio
async def test_a_cancelled_call_is_waited_for(engine: Engine) -> None:
    began, released, done = threading.Event(), threading.Event(), list[str]()

    def make(_: object) -> None:
        began.set()
        released.wait(5)
        done.append("made")

    call = asyncio.create_task(engine.call(make, "make"))
    await asyncio.to_thread(began.wait)
    call.cancel()
    await asyncio.sleep(0)
    released.set()

    with pytest.raises(asyncio.CancelledError):
        await call
    assert done == ["made"]


@pytest.mark.asyncio
async def test_who_only_asks_is_cancelled_at_once(engine: Engine) -> None:
    began, released = threading.Event(), threading.Event()

    def learn(_: object) -> None:
        began.set()
        released.wait(5)

    asking = asyncio.create_task(engine.ask(learn, "learn"))
    await asyncio.to_thread(began.wait)
    asking.cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert asking.cancelled()
    released.set()


@pytest.mark.asyncio
async def test_a_cancelled_call_is_not_waited_for_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Engine, "_connected", lambda _: None)
    engine, began, released = Engine(DockerConfig(hurry_s=0.01)), threading.Event(), threading.Event()

    def make(_: object) -> None:
        began.set()
        released.wait(5)

    call = asyncio.create_task(engine.call(make, "make"))
    await asyncio.to_thread(began.wait)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call

    assert not released.is_set()
    released.set()
    engine.close()


@pytest.mark.asyncio
async def test_a_question_that_nobody_asks_any_more_is_not_put(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Engine, "_connected", lambda _: None)
    engine, released, put = Engine(DockerConfig(max_threads=1)), threading.Event(), list[str]()
    hanging = asyncio.create_task(engine.call(lambda _: released.wait(5), "hang"))
    await asyncio.sleep(0)

    for _ in range(50):
        with pytest.raises(SandboxUnavailable, match="in time"):
            await engine.ask(lambda _: put.append("in vain"), "ask in vain", timeout_s=0.001)
    # The loop passes a cancellation on to the pool when it turns next.
    await asyncio.sleep(0)
    released.set()
    await hanging
    await engine.ask(lambda _: put.append("asked"), "ask")

    assert put == ["asked"]
    engine.close()
