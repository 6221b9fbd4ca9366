"""`GET /api/health` says whether work can progress now; `GET /api/health/live` only that the process turns."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from chef_supervisor.api.dependencies import ApiDependencies
from chef_supervisor.api.probe import StoreProbe
from chef_supervisor.api.responses import json_response
from chef_supervisor.domain.moment import rfc3339


class Health:
    """The endpoints. Query parameters are ignored: load balancers add their own."""

    def __init__(self, deps: ApiDependencies, probe: StoreProbe) -> None:
        self._deps = deps
        self._probe = probe

    async def ready(self, _request: Request) -> Response:
        """Answer 200 while jobs can be accepted and worked on, else 503; `degraded` where they are, but will wait."""
        trouble = await self._probe.trouble()
        report = self._deps.health()
        faults = [*_of_redis(trouble), *self._of_draining(), *report.faults]
        view = {
            "status": "unhealthy" if faults else "degraded" if report.reasons else "healthy",
            "timestamp": rfc3339(self._deps.now_ms()),
            "redis": "connected" if trouble is None else "disconnected",
            "sandbox": report.sandbox,
            "sandboxReason": report.sandbox_reason,
            "reasons": [*faults, *report.reasons],
        }
        return json_response(view, 503 if faults else 200)

    async def live(self, _request: Request) -> Response:
        """Answer 200: whoever answers lives."""
        return json_response({"status": "live", "timestamp": rfc3339(self._deps.now_ms())})

    def _of_draining(self) -> list[str]:
        return ["the process is stopping"] if self._deps.draining() else []


def _of_redis(trouble: str | None) -> list[str]:
    return [] if trouble is None else [f"Redis does not accept writes: {trouble}"]
