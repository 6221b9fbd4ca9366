"""Whether a reply is held back until the disk has its work: by what the server answers to the question."""

from __future__ import annotations

import pytest
from redis.exceptions import OutOfMemoryError, ResponseError

from chef_supervisor.domain.errors import NotDurable
from chef_supervisor.store import scripts
from chef_supervisor.store.evaluate import Call
from chef_supervisor.store.server_clock import ServerClock
from tests.unit.store.told import Told, evaluator

pytestmark = pytest.mark.asyncio
OOM = OutOfMemoryError("command not allowed when used memory > 'maxmemory'.")


def a_call(clock: ServerClock, mark: str) -> Call:
    return Call(scripts.FINISH, ("key",), lambda: (clock.now(),), mark)


async def ask(answers: list[object]) -> tuple[Told, list[object]]:
    lines, evaluate = evaluator([["done"], ["done too"]])
    lines.on_disk = answers
    return lines, list(await evaluate.run(a_call(evaluate.clock, "mark"), [("a", 1), ("b", 2)]))


async def test_a_reply_comes_once_the_disk_has_it() -> None:
    lines, replies = await ask([b"OK", 1, [1, 0]])

    assert replies == [["done"], ["done too"]]
    assert [command[0] for command in lines.together[-1]] == ["EVALSHA", "SET", "PEXPIRE", "WAITAOF"]
    assert lines.together[-1][-1] == ("WAITAOF", 1, 0, 1500)


@pytest.mark.parametrize(
    "answers",
    [
        [b"OK", 1, [0, 0]],
        [OOM, 0, [1, 0]],
        [b"OK", 1, ResponseError("WAITAOF cannot be used when numlocal is set but appendonly is disabled.")],
        [b"OK", 1, ResponseError("unknown command 'WAITAOF'")],
    ],
    ids=["too slow", "nothing was written", "no append-only file", "too old"],
)
async def test_without_the_word_of_the_disk_nobody_is_told_that_it_is_done(answers: list[object]) -> None:
    _, replies = await ask(answers)

    assert [type(reply) for reply in replies] == [NotDurable, NotDurable]


async def test_a_full_memory_does_not_keep_work_from_being_confirmed() -> None:
    """The mark is there from before, and its age can still be changed."""
    _, replies = await ask([OOM, 1, [1, 0]])

    assert replies == [["done"], ["done too"]]


async def test_a_replay_is_confirmed_as_well() -> None:
    """On its new connection it may find all done and write nothing itself, so that the mark is what is waited for."""
    lost = ConnectionResetError("gone")
    lines, evaluate = evaluator(lost, [["done"]], [["done too"]])
    lines.on_disk = [b"OK", 1, [0, 0]]

    replies = await evaluate.run(a_call(evaluate.clock, "mark"), [("a", 1), ("b", 2)])

    assert [type(reply) for reply in replies] == [NotDurable, NotDurable]
    assert [command[0] for command in lines.together[-1]] == ["EVALSHA", "EVALSHA", "SET", "PEXPIRE", "WAITAOF"]


async def test_nobody_asks_where_nobody_wants_to_know() -> None:
    lines, evaluate = evaluator([["done"]])

    await evaluate.run(a_call(evaluate.clock, ""), [("a", 1)])

    assert [command[0] for command in lines.together[-1]] == ["EVALSHA"]
