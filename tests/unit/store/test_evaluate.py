"""What is done about each kind of answer, against a server that answers as it is told."""

from __future__ import annotations

import asyncio

import pytest
from redis.exceptions import BusyLoadingError, ConnectionError, NoScriptError, ResponseError  # noqa: A004 # redis' own

from chef_supervisor.domain.errors import Bug, StoreUnavailable
from chef_supervisor.store import scripts
from chef_supervisor.store.evaluate import Call
from chef_supervisor.store.server_clock import ServerClock
from tests.unit.store.told import VERSION_7, evaluator

pytestmark = pytest.mark.asyncio
VERSION_6 = b"# Server\r\nredis_version:6.2.5\r\n"
NO_SCRIPT = NoScriptError("No matching script.")
LOST = ConnectionError("Connection closed by server.")


def a_call(clock: ServerClock) -> Call:
    return Call(scripts.CLAIM, ("key",), lambda: (clock.now(), clock.latest()))


async def test_a_script_is_loaded_once_and_called_by_its_digest() -> None:
    lines, evaluate = evaluator([["first"]], [["second"], ["third"]])

    assert await evaluate.run(a_call(evaluate.clock), [("a", 1)]) == [["first"]]
    assert await evaluate.run(a_call(evaluate.clock), [("b", 2), ("c", 3)]) == [["second"], ["third"]]

    assert len(lines.loaded) == 1
    assert lines.asked[1] == ("EVALSHA", b"digest", 1, "key", "", "0", "b", 2, "c", 3)


@pytest.mark.parametrize(
    ("version", "shebang"),
    [(VERSION_7, True), (VERSION_6, False), (ResponseError("NOPERM"), False), (b"something else", False)],
)
async def test_the_shebang_is_only_for_servers_from_7_on(version: object, *, shebang: bool) -> None:
    lines, evaluate = evaluator([["done"]], version=version)

    await evaluate.run(a_call(evaluate.clock), [("a", 1)])

    assert lines.loaded[-1].startswith("#!lua") == shebang


async def test_a_server_of_another_version_that_took_over_gets_the_scripts_it_knows() -> None:
    lines, evaluate = evaluator([["done"]])
    await evaluate.run(a_call(evaluate.clock), [("a", 1)])
    lines.version, lines.answers = VERSION_6, [NO_SCRIPT, [["done"]]]

    assert await evaluate.run(a_call(evaluate.clock), [("a", 1)]) == [["done"]]

    assert [loaded.startswith("#!lua") for loaded in lines.loaded] == [True, True, False]
    assert lines.asked[-1][:2] == ("EVAL", lines.loaded[-1])


async def test_scripts_that_are_loaded_at_one_time_are_all_loaded_as_the_server_knows_them() -> None:
    """The first to hear of its version must not keep the others from hearing."""
    lines, evaluate = evaluator([["done"]], version=VERSION_6)
    lines.load_error = ResponseError("Error compiling script (new function): user_script:1: unexpected symbol near '#'")
    lines.only_refuses = "#!lua"
    others = [Call(script, ("key",), lambda: ()) for script in (scripts.RENEW, scripts.FINISH, scripts.REAP)]

    async with asyncio.TaskGroup() as group:
        replies = [group.create_task(evaluate.run(call, [("a", 1)])) for call in others]

    assert [reply.result() for reply in replies] == [[["done"]]] * 3


async def test_a_cold_start_takes_two_round_trips() -> None:
    """A server far away is within the patience of callers then."""
    lines, evaluate = evaluator([["done"]])

    await evaluate.run(a_call(evaluate.clock), [("a", 1)])

    assert [[command[0] for command in commands] for commands in lines.together] == [["INFO", "SCRIPT"], ["EVALSHA"]]


async def test_a_script_that_is_never_there_is_unavailable() -> None:
    lines, evaluate = evaluator(NO_SCRIPT)

    with pytest.raises(StoreUnavailable):
        await evaluate.run(a_call(evaluate.clock), [("a", 1)])

    assert len(lines.asked) == 3


async def test_a_script_that_was_forgotten_is_called_by_its_text() -> None:
    """Nobody who flushes scripts all the time can get between that and its call."""
    lines, evaluate = evaluator(NO_SCRIPT, [["done"]])

    assert await evaluate.run(a_call(evaluate.clock), [("a", 1)]) == [["done"]]

    assert [command[:2] for command in lines.together[-1]] == [("EVAL", lines.loaded[-1])]


async def test_a_server_that_forgot_the_script_may_find_the_time_wrong_as_well() -> None:
    """A failover: the new primary knows neither our scripts nor the time that we guess."""
    _, evaluate = evaluator(NO_SCRIPT, ResponseError("LATE 1700000000000"), [["done"]])

    assert await evaluate.run(a_call(evaluate.clock), [("a", 1)]) == [["done"]]


async def test_a_clock_that_never_agrees_is_unavailable() -> None:
    _, evaluate = evaluator(ResponseError("LATE 1700000000000"))

    with pytest.raises(StoreUnavailable):
        await evaluate.run(a_call(evaluate.clock), [("a", 1)])


async def test_a_script_that_does_not_load_is_a_mistake_of_ours() -> None:
    lines, evaluate = evaluator([["done"]])
    lines.load_error = ResponseError("Error compiling script (new function): user_script:1: unexpected symbol")

    with pytest.raises(Bug):
        await evaluate.run(a_call(evaluate.clock), [("a", 1)])


async def test_a_wrong_guess_of_the_servers_time_is_put_right_at_once() -> None:
    lines, evaluate = evaluator(ResponseError("LATE 1700000000000"), [["done"]])

    assert await evaluate.run(a_call(evaluate.clock), [("a", 1)]) == [["done"]]

    guesses = [int(str(command[5])) for command in lines.asked]
    assert guesses[0] == 0
    assert 1_700_000_005_000 <= guesses[1] < 1_700_000_010_000
    assert len(lines.loaded) == 1


async def test_a_lost_reply_is_replayed_item_by_item() -> None:
    lines, evaluate = evaluator(LOST, [["a's"]], [["b's"]])

    assert await evaluate.run(a_call(evaluate.clock), [("a", 1), ("b", 2)]) == [["a's"], ["b's"]]

    assert [command[6:] for command in lines.asked] == [("a", 1, "b", 2), ("a", 1), ("b", 2)]


async def test_an_error_of_one_item_is_its_own() -> None:
    broken = ResponseError("WRONGTYPE Operation against a key holding the wrong kind of value")
    _, evaluate = evaluator(broken, [["a's"]], broken)

    replies = await evaluate.run(a_call(evaluate.clock), [("a", 1), ("b", 2)])

    assert replies[0] == ["a's"]
    assert isinstance(replies[1], Bug)
    assert replies[1].__cause__ is broken


@pytest.mark.parametrize("when", [1, 2, 3, 4])
async def test_a_refusal_is_not_replayed(when: int) -> None:
    """The server is there, and loads its data: more tries would not help."""
    lines, evaluate = evaluator(*[LOST] * (when - 1), BusyLoadingError("Redis is loading"))

    with pytest.raises(StoreUnavailable):
        await evaluate.run(a_call(evaluate.clock), [("a", 1)])

    assert len(lines.asked) == when


async def test_tries_are_bounded() -> None:
    lines, evaluate = evaluator(LOST)

    with pytest.raises(StoreUnavailable):
        await evaluate.run(a_call(evaluate.clock), [("a", 1)])

    assert len(lines.asked) == 4
