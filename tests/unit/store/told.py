"""A server that answers as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import attrs
import pytest
from redis.exceptions import ResponseError

from chef_supervisor.store.connect import Command, Lines, Reply
from chef_supervisor.store.evaluate import Evaluator
from chef_supervisor.store.server_clock import ServerClock

VERSION_7 = b"# Server\r\nredis_version:7.0.15\r\n"
_NOT_SCRIPTS = ("SET", "PEXPIRE", "WAITAOF")


@attrs.define(eq=False)
class Told(Lines):
    """
    Gives one answer after the other to EVALSHA, the last one for ever; remembers what it was asked.

    `load_error` is answered to scripts that begin with `only_refuses`. `on_disk`: the answers to SET, PEXPIRE and WAITAOF. `together`: what was sent in one go.
    """

    answers: list[object] = attrs.field(factory=list)
    version: object = VERSION_7
    asked: list[Command] = attrs.field(factory=list)
    together: list[Sequence[Command]] = attrs.field(factory=list)
    loaded: list[str] = attrs.field(factory=list)
    load_error: ResponseError | None = None
    only_refuses: str = ""
    on_disk: list[object] = attrs.field(factory=list)

    async def run(self, commands: Sequence[Command]) -> list[Reply | ResponseError]:
        self.together.append(commands)
        await asyncio.sleep(0)
        return [self._answer(command) for command in commands]

    def _answer(self, command: Command) -> Reply:
        if command[0] == "INFO":
            return self.version
        if command[0] == "SCRIPT":
            self.loaded.append(str(command[2]))
            refused = str(command[2]).startswith(self.only_refuses)
            return self.load_error if refused and self.load_error is not None else b"digest"
        if command[0] in _NOT_SCRIPTS:
            return self.on_disk[_NOT_SCRIPTS.index(str(command[0]))]
        self.asked.append(command)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception) and not isinstance(answer, ResponseError):
            raise answer
        return answer


def evaluator(*answers: object, version: object = VERSION_7) -> tuple[Told, Evaluator]:
    """Returns: the server, and what runs scripts on it."""
    lines = Told(lambda: pytest.fail("connects"), answers=list(answers), version=version)
    return lines, Evaluator(lines, ServerClock(None, 5), timeout_s=5, confirm_s=1.5)
