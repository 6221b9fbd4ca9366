"""`GET /api/stats`: the counts of each queue."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from chef_supervisor.api.dependencies import ApiDependencies
from chef_supervisor.api.query import read_query
from chef_supervisor.api.responses import json_response, stats_view


class Stats:
    """The endpoint."""

    def __init__(self, deps: ApiDependencies) -> None:
        self._deps = deps

    async def read(self, request: Request) -> Response:
        """Tell how many jobs each queue has, by state."""
        read_query(request)
        return json_response(stats_view(await self._deps.store.stats()))
