"""Brings the orders of other processes, such as a cancel, to whoever has the run. One reader a queue."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final, Never

import attrs

from chef_supervisor.domain.errors import StoreUnavailable
from chef_supervisor.domain.job import QueueName, RunId
from chef_supervisor.kernel import Actor, ActorGone, Ref
from chef_supervisor.leases.leases import Leases
from chef_supervisor.protocol import EndRun, PoolMessage
from chef_supervisor.store.job_store import JobStore

# A reader blocks so long; shorter only costs calls.
_READ_S: Final = 5.0
_RETRY_S: Final = 1.0


@attrs.define(eq=False, kw_only=True)
class Courier(Actor[Never]):
    """
    Reads from the newest order on, and on from there when Redis was away.

    An order that is lost with this actor costs at most a renewal: the answer to it says the same.
    """

    store: JobStore
    pools: Mapping[QueueName, Ref[PoolMessage]]
    leases: Leases

    async def on_start(self) -> None:
        """Find the ends of the streams, before anything is claimed that an order could be about; then read on."""
        async with asyncio.TaskGroup() as group:
            tails = {queue: group.create_task(self._tail(queue)) for queue in self.pools}
        for queue, pool in self.pools.items():
            self.ctx.spawn(self._deliver(queue, pool, tails[queue].result()), name=f"orders-{queue}")

    async def receive(self, message: object) -> None:
        """Nobody tells the courier anything."""

    async def _tail(self, queue: QueueName) -> str | None:
        """Returns: None where Redis is away: then nothing can be claimed either."""
        try:
            return await self.store.orders_tail(queue)
        except StoreUnavailable:
            return None

    async def _deliver(self, queue: QueueName, pool: Ref[PoolMessage], position: str | None) -> None:
        while True:
            try:
                if position is None:
                    position = await self.store.orders_tail(queue)
                orders = await self.store.orders(queue, position, _READ_S)
            except StoreUnavailable:
                await asyncio.sleep(_RETRY_S)
                continue
            for order in orders:
                if order.run is not None:
                    await self._hand_over(pool, order.run)
                position = order.position

    async def _hand_over(self, pool: Ref[PoolMessage], run: RunId) -> None:
        try:
            await pool.tell(EndRun(run))
        except ActorGone:
            # The process stops, and runners in their grace have outlived their pool: the answer to a renewal, asked
            # for now, brings them the word.
            self.leases.renew_soon()
