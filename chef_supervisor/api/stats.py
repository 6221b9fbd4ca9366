"""`GET /api/stats`: the counts of each queue, and of deliveries."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from starlette.requests import Request
from starlette.responses import Response

from chef_supervisor.api.dependencies import ApiDependencies
from chef_supervisor.api.promptly import promptly
from chef_supervisor.api.query import read_query
from chef_supervisor.api.responses import JSON, stats_view
from chef_supervisor.store.batching import Batcher


class Stats:
    """The endpoint."""

    def __init__(self, deps: ApiDependencies) -> None:
        self._deps = deps
        # One at a time: who comes meanwhile is told by the next, so that no answer is older than its question.
        self._reads: Batcher[None, bytes] = Batcher(self._read_for, max_flights=1)

    async def read(self, request: Request) -> Response:
        """Tell how many jobs each queue has, by state, and what became of telling of them."""
        read_query(request)
        async with promptly(self._deps.read_timeout_s):
            return Response(await self._reads.call(None), media_type=JSON)

    async def _read_for(self, callers: Sequence[None]) -> Sequence[bytes]:
        async with promptly(self._deps.read_timeout_s):
            stats = await self._deps.store.stats()
            view = stats_view(stats, await self._deps.store.delivery_counts())
        return [orjson.dumps(view)] * len(callers)
