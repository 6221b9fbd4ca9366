"""`GET /api/stats`: the counts of each queue, and of deliveries."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from chef_supervisor.api.dependencies import ApiDependencies
from chef_supervisor.api.promptly import promptly
from chef_supervisor.api.query import read_query
from chef_supervisor.api.responses import json_response, stats_view


class Stats:
    """The endpoint."""

    def __init__(self, deps: ApiDependencies) -> None:
        self._deps = deps

    async def read(self, request: Request) -> Response:
        """Tell how many jobs each queue has, by state, and what became of telling of them."""
        read_query(request)
        async with promptly(self._deps.read_timeout_s):
            stats = await self._deps.store.stats()
            return json_response(stats_view(stats, await self._deps.store.delivery_counts()))
