"""What is read of jobs and queues: states, results, counts, and what happens, by those who wait for it."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from typing import Final

from chef_supervisor.domain.errors import StoreUnavailable
from chef_supervisor.domain.job import JobId, QueueName
from chef_supervisor.store import codec, event_reader, preflight, replies
from chef_supervisor.store.answers import Gap, JobEvent, Order, Preflight, QueueStats
from chef_supervisor.store.base import NONCE_BYTES, StoreBase
from chef_supervisor.store.connect import Command
from chef_supervisor.store.errors import of_job
from chef_supervisor.store.keys import QueueKeys, probe_key, realm_key

_PROBE_MS: Final = 10_000
_ENTRIES_AT_ONCE: Final = 256


class Reading(StoreBase):
    """Reads, and waits for what there will be to read."""

    async def result(self, job_id: JobId) -> bytes | None:
        """See `JobStore`."""
        with of_job(job_id):
            [stored] = await self._plain.run(("GET", self._of(job_id).keys.result(job_id)))
            return None if stored is None else await codec.unpack(stored)

    async def known(self, job_ids: Iterable[JobId]) -> frozenset[JobId]:
        """See `JobStore`."""
        asked = tuple(job_ids)
        if not asked:
            return frozenset()
        found = await self._plain.run(*(("EXISTS", self._of(job_id).keys.job(job_id)) for job_id in asked))
        return frozenset(job_id for job_id, there in zip(asked, found, strict=True) if there)

    async def stats(self) -> dict[QueueName, QueueStats]:
        """See `JobStore`."""
        counts = await self._plain.run(*(command for queue in self._queues.values() for command in _stats(queue.keys)))
        width = len(replies.STATS_SETS) + 1
        rows = [counts[start : start + width] for start in range(0, len(counts), width)]
        return {queue: replies.stats(row[:-1], row[-1]) for queue, row in zip(self._queues, rows, strict=True)}

    async def wait_for_work(self, queue: QueueName, timeout_s: float) -> bool:
        """See `JobStore`."""
        # Redis takes 0 for "for ever".
        wait_s = max(timeout_s, 0.01)
        return await self._block(("BZPOPMIN", self._at(queue).keys.key("wake"), wait_s), wait_s) is not None

    async def tail(self, queue: QueueName) -> str:
        """See `JobStore`."""
        return await self._newest(queue, "events")

    async def events(self, queue: QueueName, after: str, timeout_s: float) -> Sequence[JobEvent | Gap]:
        """See `JobStore`."""
        number = event_reader.number(after)
        if number is not None:
            entries = await self._entries(queue, "events", after, timeout_s)
            if entries:
                return event_reader.after_reading(queue, number, entries)
        return event_reader.after_silence(queue, number, await self.tail(queue))

    async def orders_tail(self, queue: QueueName) -> str:
        """See `JobStore`."""
        return await self._newest(queue, "orders")

    async def orders(self, queue: QueueName, after: str, timeout_s: float) -> Sequence[Order]:
        """See `JobStore`."""
        entries = await self._entries(queue, "orders", after, timeout_s)
        return [replies.order(position, fields) for position, fields in entries]

    async def identity(self) -> str:
        """See `JobStore`."""
        key = realm_key(self._config.key_prefix)
        [realm] = await self._plain.run(("GET", key))
        if realm is None:
            # Only then: a full Redis refuses to set, also what it would not have set.
            _, realm = await self._plain.run(("SET", key, secrets.token_hex(NONCE_BYTES), "NX"), ("GET", key))
        return str(realm.decode())

    async def check(self) -> None:
        """See `JobStore`."""
        key, probe = probe_key(self._config.key_prefix), secrets.token_bytes(NONCE_BYTES)
        _, found = await self._plain.run(("SET", key, probe, "PX", _PROBE_MS), ("GET", key))
        if found is None:
            raise StoreUnavailable("what was written was not there to be read")

    async def preflight(self) -> Preflight:
        """See `JobStore`."""
        found = await preflight.look(self._lines, self._config)
        self._unfit = found.refusals
        return found

    async def _newest(self, queue: QueueName, stream: str) -> str:
        [newest] = await self._plain.run(("XREVRANGE", self._at(queue).keys.key(stream), "+", "-", "COUNT", 1))
        return newest[0][0].decode() if newest else event_reader.START

    async def _entries(
        self, queue: QueueName, stream: str, after: str, timeout_s: float
    ) -> Sequence[tuple[bytes, Sequence[bytes]]]:
        wait_s, key = max(timeout_s, 0.001), self._at(queue).keys.key(stream)
        read: Command = ("XREAD", "COUNT", _ENTRIES_AT_ONCE, "BLOCK", int(wait_s * 1000), "STREAMS", key, after)
        streams = await self._block(read, wait_s)
        return streams[0][1] if streams else ()


def _stats(keys: QueueKeys) -> list[Command]:
    sizes: list[Command] = [("ZCARD", keys.key(name)) for name in replies.STATS_SETS]
    return [*sizes, ("HMGET", keys.key("counters"), *replies.STATS_COUNTERS)]
