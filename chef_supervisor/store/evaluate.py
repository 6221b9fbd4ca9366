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
from chef_supervisor.store.connect import Command, Lines, Reply
from chef_supervisor.store.errors import REDIS_ERRORS, bounded, is_lost, translate, translated
from chef_supervisor.store.scripts import Script, source
from chef_supervisor.store.server_clock import ServerClock

Item: TypeAlias = tuple[str | bytes | int, ...]
# A lost reply means a server that restarts, more often than not; the last tries give it a moment.
_PAUSES_S: Final = (0.0, 0.05, 0.25)
_FLAGS_FROM: Final = 7
_VERSION: Final = re.compile(rb"redis_version:(\d+)\.")


@attrs.frozen
class Call:
    """A script on the keys of one queue. `argv` is asked at each sending, for it tells the time."""

    script: Script
    keys: tuple[str, ...]
    argv: Callable[[], Item]

    def command(self, digest: bytes, items: Sequence[Item]) -> Command:
        """Returns: the EVALSHA for these items."""
        flat = [value for item in items for value in item]
        return ("EVALSHA", digest, len(self.keys), *self.keys, *self.argv(), *flat)


@attrs.define(eq=False)
class Evaluator:
    """Knows the digests of loaded scripts."""

    lines: Lines
    clock: ServerClock
    timeout_s: float
    _digests: dict[str, bytes] = attrs.field(factory=dict, init=False)

    async def run(self, call: Call, items: Sequence[Item]) -> Sequence[Reply | ChefError]:
        """
        Returns: one reply, or error, per item.

        Raises:
            StoreUnavailable: no answer in time, or Redis is not fit for use.
            Bug: the script failed.
        """
        async with bounded(self.timeout_s):
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
            await self.lines.drop_idle()
            raise reply

    async def _replay(self, call: Call, items: Sequence[Item]) -> Sequence[Reply | ChefError]:
        # After a restart of the server all are as dead as the one that broke.
        await self.lines.drop_idle()
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
        replies = await self.lines.run([call.command(digest, batch) for batch in batches])
        # Flushed, restarted, failed over; or sent too long ago by the clock we guess.
        unserved = [index for index, reply in enumerate(replies) if self._try_again(reply)]
        if unserved:
            if any(isinstance(replies[index], NoScriptError) for index in unserved):
                digest = await self._load(call.script)
            again = await self.lines.run([call.command(digest, batches[index]) for index in unserved])
            for index, reply in zip(unserved, again, strict=True):
                replies[index] = reply
        return replies

    def _try_again(self, reply: Reply | ResponseError) -> bool:
        if isinstance(reply, ResponseError) and str(reply).startswith("LATE "):
            self.clock.learn(int(str(reply).split()[1]))
            return True
        return isinstance(reply, NoScriptError)

    async def _load(self, script: Script) -> bytes:
        # Asked anew each time: another version may have taken over.
        [info] = await self.lines.run([("INFO", "server")])
        version = None if isinstance(info, ResponseError) else _VERSION.search(info)
        flags = version is not None and int(version[1]) >= _FLAGS_FROM
        [digest] = await self.lines.run([("SCRIPT", "LOAD", source(script, flags=flags))])
        if isinstance(digest, ResponseError):
            raise digest
        self._digests[script.name] = digest
        return bytes(digest)
