"""Whose time it is: a box has its own, and what we do with what it says is ours."""

from __future__ import annotations

import asyncio

from chef_supervisor.domain.work import BoxEnded, EndedBy, Step, Work
from chef_supervisor.sandboxes.agent import frames
from chef_supervisor.sandboxes.conversation import Conversation
from tests.kit.virtual_time import virtual

WORK = Work(files={}, steps=(Step(name="s", argv=("true",), timeout_s=1),), timeout_s=10.0)
GRACE_S = 5.0
STARTED = frames.pack(frames.STARTED, frames.INDEX.pack(0))
ENDED = frames.pack(frames.ENDED, b'{"index": 0, "exit_code": 0, "ended_by": "exit", "ms": 1, "dropped_bytes": 0}')
VERDICT = frames.pack(frames.VERDICT, b'{"ended_by": "exit", "warnings": []}')


class Slow:
    """A box that says each of these after so many seconds."""

    def __init__(self, *says: tuple[float, bytes]) -> None:
        self._says = list(says)

    async def read(self) -> bytes:
        wait_s, chunk = self._says.pop(0)
        await asyncio.sleep(wait_s)
        return chunk

    async def write(self, chunk: bytes) -> None:
        """Takes it."""


async def killed() -> EndedBy:
    return EndedBy.KILLED


async def last_of(line: Slow, caller_s: float) -> object:
    heard: list[object] = []
    async for event in Conversation(line, killed, GRACE_S).run(WORK, {}):
        heard.append(event)
        await asyncio.sleep(caller_s)
    return heard[-1]


@virtual
async def test_a_caller_that_takes_long_costs_the_box_nothing() -> None:
    line = Slow((4, STARTED), (4, ENDED), (4, VERDICT))

    assert await last_of(line, caller_s=100.0) == BoxEnded(complete=True, ended_by=EndedBy.EXIT)


@virtual
async def test_a_box_gains_nothing_by_a_caller_that_takes_long() -> None:
    line = Slow((4, STARTED), (4, ENDED), (8, VERDICT))

    assert await last_of(line, caller_s=100.0) == BoxEnded(complete=False, ended_by=EndedBy.TIMEOUT)
