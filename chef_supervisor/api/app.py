"""The HTTP interface as data: which path and method is which endpoint, and what stands before all of them."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route
from starlette.types import ASGIApp

from chef_supervisor.api.artifacts import Artifacts
from chef_supervisor.api.dependencies import ApiDependencies
from chef_supervisor.api.direct import Direct
from chef_supervisor.api.events import Events
from chef_supervisor.api.front import Front
from chef_supervisor.api.health import Health
from chef_supervisor.api.jobs import Jobs
from chef_supervisor.api.listing import Listing
from chef_supervisor.api.logs import Logs
from chef_supervisor.api.preview_address import PreviewHosts
from chef_supervisor.api.preview_app import PreviewApp
from chef_supervisor.api.previews import Previews
from chef_supervisor.api.probe import StoreProbe
from chef_supervisor.api.problems import exception_handlers
from chef_supervisor.api.redelivery import Redelivery
from chef_supervisor.api.stats import Stats
from chef_supervisor.api.submissions import Submissions


def make_app(deps: ApiDependencies) -> ASGIApp:
    """Returns: the API and the previews, without I/O of their own; `deps.feed` must be run beside them."""
    listing, hosts = Listing(deps.store), PreviewHosts(deps.settings.preview.suffix)
    known = routes(deps, listing, hosts)
    api = Starlette(routes=known, middleware=[Middleware(Direct, known)], exception_handlers=exception_handlers())
    # `/api/jobs/` is not `/api/jobs`; a redirect would be built from the caller's Host header.
    api.router.redirect_slashes = False
    # Outermost, so that an answer to a crash has all headers too.
    return Front(api, PreviewApp(deps, listing, hosts), hosts, deps.settings.http)


def routes(deps: ApiDependencies, listing: Listing, hosts: PreviewHosts) -> list[Route]:
    """Returns: every endpoint."""
    artifacts = Artifacts(deps, listing)
    health, jobs, submissions = Health(deps, StoreProbe(deps.store)), Jobs(deps), Submissions(deps)
    return [
        Route("/api/health", health.ready),
        Route("/api/health/live", health.live),
        Route("/api/jobs", submissions.submit, methods=["POST"]),
        Route("/api/jobs/{job_id}", jobs.answer, methods=["GET", "DELETE"]),
        Route("/api/jobs/{job_id}/logs", Logs(deps).read),
        Route("/api/jobs/{job_id}/retry", submissions.retry, methods=["POST"]),
        Route("/api/jobs/{job_id}/redeliver", Redelivery(deps).start, methods=["POST"]),
        Route("/api/jobs/{job_id}/artifacts", artifacts.all),
        Route("/api/jobs/{job_id}/artifacts/{path:path}", artifacts.one),
        Route("/preview/{job_id}/", Previews(deps, listing, hosts).lead),
        Route("/api/stats", Stats(deps).read),
        Route("/api/events", Events(deps).follow),
    ]
