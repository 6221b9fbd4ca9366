"""
Runs scripts on the server: by their digest, loaded where the server does not know them, replayed where a reply was lost.

Every script is idempotent item by item, so a replay is safe; it is done item by item, so that one that breaks the
connection or the script does not take the others with it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

import attrs
from redis.exceptions import NoScriptError, ResponseError

from chef_supervisor.domain.errors import Bug, ChefError
from chef_supervisor.store import durability
from chef_supervisor.store.connect import Command, Lines, Reply
from chef_supervisor.store.errors import REDIS_ERRORS, bounded, is_lost, translate, translated
from chef_supervisor.store.scripts import Script, source
from chef_supervisor.store.server_clock import ServerClock

Item: TypeAlias = tuple[str | bytes | int, ...]
# A lost reply means a server that restarts, more often than not; the last tries give it a moment.
_PAUSES_S: Final = (0.0, 0.05, 0.25)
# It may have forgotten the script, and then find the time wrong.
_RESENDINGS: Final = 2
_FLAGS_FROM: Final = 7
_VERSION: Final = re.compile(rb"redis_version:(\d+)\.")


@attrs.frozen
class Call:
    """
    A script on the keys of one queue. `argv` is asked at each sending, for it tells the time.

    `mark`: a key of the same queue; where there is one, replies come once the server has all of it on disk.
    """

    script: Script
    keys: tuple[str, ...]
    argv: Callable[[], Item]
    mark: str = ""

    def by_digest(self, digest: bytes, items: Sequence[Item]) -> Command:
        """Returns: the EVALSHA for these items."""
        return ("EVALSHA", digest, *self._arguments(items))

    def by_text(self, text: str, items: Sequence[Item]) -> Command:
        """Returns: the EVAL for these items."""
        return ("EVAL", text, *self._arguments(items))

    def _arguments(self, items: Sequence[Item]) -> Item:
        return (len(self.keys), *self.keys, *self.argv(), *(value for item in items for value in item))


@attrs.define(eq=False)
class Evaluator:
    """Knows the digests of loaded scripts. `confirm_s`: how long a disk may take where its word is asked for."""

    lines: Lines
    clock: ServerClock
    timeout_s: float
    confirm_s: float = 0.0
    _digests: dict[str, bytes] = attrs.field(factory=dict, init=False)
    # As far as is known; most servers do.
    _flags: bool = attrs.field(default=True, init=False)

    async def run(self, call: Call, items: Sequence[Item]) -> Sequence[Reply | ChefError]:
        """
        Returns: one reply, or error, per item.

        Raises:
            StoreUnavailable: no answer in time, or Redis is not fit for use.
            Bug: the script failed.
        """
        async with bounded(self.timeout_s + (self.confirm_s if call.mark else 0.0)):
            try:
                [reply] = await self._send(call, [items])
            except (*REDIS_ERRORS, OSError) as error:
                if not is_lost(error):
                    raise
                return await self._replay(call, items)
            if not isinstance(reply, ResponseError):
                return list(reply)
            if len(items) > 1 and isinstance(translate(reply), Bug):
                return await self._replay(call, items)
            raise reply

    async def _replay(self, call: Call, items: Sequence[Item]) -> Sequence[Reply | ChefError]:
        for pause_s in _PAUSES_S[:-1]:
            await asyncio.sleep(pause_s)
            try:
                return await self._one_by_one(call, items)
            except (*REDIS_ERRORS, OSError) as error:
                if not is_lost(error):
                    raise
        await asyncio.sleep(_PAUSES_S[-1])
        return await self._one_by_one(call, items)

    async def _one_by_one(self, call: Call, items: Sequence[Item]) -> Sequence[Reply | ChefError]:
        replies = await self._send(call, [[item] for item in items])
        return [translated(reply) if isinstance(reply, ResponseError) else reply[0] for reply in replies]

    async def _send(self, call: Call, batches: Sequence[Sequence[Item]]) -> list[Reply | ResponseError]:
        digest = self._digests.get(call.script.name) or await self._load(call.script)
        replies = await self._ask(call, digest, batches)
        for _ in range(_RESENDINGS):
            # Flushed, restarted, failed over; or sent too long ago by the clock we guess.
            unserved = [index for index, reply in enumerate(replies) if self._try_again(reply)]
            if not unserved:
                break
            forgotten = any(isinstance(replies[index], NoScriptError) for index in unserved)
            if forgotten:
                digest = await self._load(call.script)
            again = await self._ask(call, digest, [batches[index] for index in unserved], whole=forgotten)
            for index, reply in zip(unserved, again, strict=True):
                replies[index] = reply
        return replies

    async def _ask(
        self, call: Call, digest: bytes, batches: Sequence[Sequence[Item]], *, whole: bool = False
    ) -> list[Reply | ResponseError]:
        text = source(call.script, flags=self._flags) if whole else ""
        # With its text: whoever flushes scripts all the time cannot get between that and its call.
        commands = [call.by_text(text, batch) if whole else call.by_digest(digest, batch) for batch in batches]
        after = durability.questions(call.mark, int(self.confirm_s * 1000)) if call.mark else ()
        answers = await self.lines.run([*commands, *after])
        replies = answers[: len(commands)]
        doubt = durability.doubt(answers[len(commands) :]) if after else None
        if doubt is None:
            return replies
        return [reply if isinstance(reply, ResponseError) else [doubt] * len(reply) for reply in replies]

    def _try_again(self, reply: Reply | ResponseError) -> bool:
        if isinstance(reply, ResponseError) and str(reply).startswith("LATE "):
            self.clock.learn(int(str(reply).split()[1]))
            return True
        return isinstance(reply, NoScriptError)

    async def _load(self, script: Script) -> bytes:
        # Asked anew each time, for another version may have taken over; in one go, for it seldom has.
        guess = self._flags
        info, digest = await self.lines.run([("INFO", "server"), _loading(script, flags=guess)])
        self._flags = _knows_flags(info)
        if self._flags != guess:
            [digest] = await self.lines.run([_loading(script, flags=self._flags)])
        if isinstance(digest, ResponseError):
            raise digest
        self._digests[script.name] = digest
        return bytes(digest)


def _loading(script: Script, *, flags: bool) -> Command:
    return ("SCRIPT", "LOAD", source(script, flags=flags))


def _knows_flags(info: Reply | ResponseError) -> bool:
    version = None if isinstance(info, ResponseError) else _VERSION.search(info)
    return version is not None and int(version[1]) >= _FLAGS_FROM
