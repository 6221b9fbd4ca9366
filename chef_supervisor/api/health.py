"""`GET /api/health` says whether jobs are accepted now; `GET /api/health/live` only that the process turns."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from chef_supervisor.api.dependencies import ApiDependencies
from chef_supervisor.api.probe import StoreProbe
from chef_supervisor.api.responses import json_response, rfc3339


class Health:
    """The endpoints. Query parameters are ignored: load balancers add their own."""

    def __init__(self, deps: ApiDependencies, probe: StoreProbe) -> None:
        self._deps = deps
        self._probe = probe

    async def ready(self, _request: Request) -> Response:
        """Answer 200 while jobs can be accepted, else 503; `degraded` where they are, but will wait."""
        connected = await self._probe.answers()
        report = self._deps.health()
        faults = self._faults(connected=connected)
        accepting = not faults and report.can_accept
        view = {
            "status": "unhealthy" if not accepting else "degraded" if report.reasons else "healthy",
            "timestamp": rfc3339(self._deps.now_ms()),
            "redis": "connected" if connected else "disconnected",
            "sandbox": report.sandbox,
            "sandboxReason": report.sandbox_reason,
            "reasons": [*faults, *report.reasons],
        }
        return json_response(view, 200 if accepting else 503)

    async def live(self, _request: Request) -> Response:
        """Answer 200: whoever answers lives."""
        return json_response({"status": "live", "timestamp": rfc3339(self._deps.now_ms())})

    def _faults(self, *, connected: bool) -> list[str]:
        draining = ["the process is stopping"] if self._deps.draining() else []
        return draining if connected else ["Redis does not accept writes in time", *draining]
