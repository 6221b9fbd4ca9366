"""`GET /preview/:id/`: the way to the site that a job built, which is on an origin of its own."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from chef_supervisor.api.dependencies import ApiDependencies
from chef_supervisor.api.listing import Listing
from chef_supervisor.api.preview_address import PreviewHosts
from chef_supervisor.api.preview_site import site_of
from chef_supervisor.api.promptly import promptly
from chef_supervisor.api.query import read_query
from chef_supervisor.domain.artifact_errors import NothingToPreview


class Previews:
    """The endpoint on the API's host."""

    def __init__(self, deps: ApiDependencies, listing: Listing, hosts: PreviewHosts) -> None:
        self._deps = deps
        self._listing = listing
        self._hosts = hosts

    async def lead(self, request: Request) -> Response:
        """Redirect there, where there is something to see."""
        read_query(request)
        job_id = self._deps.known_id(request.path_params["job_id"])
        async with promptly(self._deps.read_timeout_s):
            if site_of(await self._listing.of(job_id)) is None:
                raise NothingToPreview(job_id)
        return Response(None, 307, {"location": self._hosts.address_of(job_id, request.scope)})
