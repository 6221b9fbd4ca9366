"""What is done about each kind of answer, against a server that answers as it is told."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import pytest
from redis.exceptions import BusyLoadingError, ConnectionError, NoScriptError, ResponseError  # noqa: A004 # redis' own

from chef_supervisor.domain.errors import Bug, StoreUnavailable
from chef_supervisor.store import scripts
from chef_supervisor.store.connect import Command, Lines, Reply
from chef_supervisor.store.evaluate import Call, Evaluator
from chef_supervisor.store.server_clock import ServerClock

pytestmark = pytest.mark.asyncio
VERSION_7 = b"# Server\r\nredis_version:7.0.15\r\n"
VERSION_6 = b"# Server\r\nredis_version:6.2.5\r\n"
NO_SCRIPT = NoScriptError("No matching script.")
LOST = ConnectionError("Connection closed by server.")


@attrs.define(eq=False)
class Told(Lines):
    """Gives one answer after the other to EVALSHA, the last one for ever; remembers what it was asked."""

    answers: list[object] = attrs.field(factory=list)
    version: object = VERSION_7
    asked: list[Command] = attrs.field(factory=list)
    loaded: list[str] = attrs.field(factory=list)
    load_error: ResponseError | None = None

    async def run(self, commands: Sequence[Command]) -> list[Reply | ResponseError]:
        return [self._answer(command) for command in commands]

    def _answer(self, command: Command) -> Reply:
        if command[0] == "INFO":
            return self.version
        if command[0] == "SCRIPT":
            self.loaded.append(str(command[2]))
            return b"digest" if self.load_error is None else self.load_error
        self.asked.append(command)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception) and not isinstance(answer, ResponseError):
            raise answer
        return answer


def evaluator(*answers: object, version: object = VERSION_7) -> tuple[Told, Evaluator]:
    lines = Told(lambda: pytest.fail("connects"), answers=list(answers), version=version)
    return lines, Evaluator(lines, ServerClock(None, 5), timeout_s=5)


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

    assert lines.loaded[0].startswith("#!lua") == shebang


async def test_a_script_that_is_never_there_is_unavailable() -> None:
    lines, evaluate = evaluator(NO_SCRIPT)

    with pytest.raises(StoreUnavailable):
        await evaluate.run(a_call(evaluate.clock), [("a", 1)])

    assert len(lines.asked) == 2


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
