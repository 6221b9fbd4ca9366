"""The loop the kernel is tested on is tested too: a tool that cannot fail proves nothing."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.kit.virtual_time import Deadlock, now_s, run, settle


def test_hours_pass_at_once() -> None:
    async def sleep_long() -> float:
        await asyncio.sleep(36_000)
        return now_s()

    began = time.monotonic()

    assert run(sleep_long()) == 36_000
    assert time.monotonic() - began < 10


def test_a_hang_is_an_error() -> None:
    async def hang() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Deadlock, match="every task waits"):
        run(hang())


def test_a_task_left_behind_is_an_error() -> None:
    tasks = []

    async def leave() -> None:
        tasks.append(asyncio.create_task(asyncio.sleep(1)))

    with pytest.raises(AssertionError, match="left behind"):
        run(leave())


def test_an_error_nobody_looked_at_is_an_error() -> None:
    async def lose() -> None:
        async def fail() -> None:
            raise KeyError

        task = asyncio.create_task(fail())
        await settle()
        del task

    with pytest.raises(AssertionError, match="never retrieved"):
        run(lose())
