"""
The sites that jobs built, each on an origin of its own: `http://<label>.preview.localhost:PORT/`.

What is served here was written by anybody. Nothing of the API is reachable under these names, nothing is ever set in a
browser (no cookies; the sandbox takes storage away), and nothing here knows who asks.
"""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from chef_supervisor.api.content_types import content_type
from chef_supervisor.api.dependencies import ApiDependencies
from chef_supervisor.api.file_answer import file_answer
from chef_supervisor.api.listing import Listing
from chef_supervisor.api.preview_address import PreviewHosts, redirect_to
from chef_supervisor.api.preview_page import preview_page
from chef_supervisor.api.preview_site import Moved, site_of
from chef_supervisor.api.problems import Problem, problem_of
from chef_supervisor.api.promptly import promptly
from chef_supervisor.artifacts.store import ArtifactStore
from chef_supervisor.domain.artifact_errors import ArtifactGone, NothingToPreview, UnknownArtifact
from chef_supervisor.domain.errors import Rejected, Unavailable
from chef_supervisor.domain.job import JobId

# Without `allow-same-origin` a page has an origin that equals no other: no storage, no cookies, no service worker, and
# no access to other previews. It still runs scripts and talks to servers, as a built app does.
_SANDBOX: Final = "sandbox allow-downloads allow-forms allow-modals allow-pointer-lock allow-popups allow-scripts"
_STORAGE: Final = " allow-same-origin"
_HEADERS: Final = {
    # Module scripts, fonts and fetches of such a page are cross-origin even to its own files, and its images too.
    "access-control-allow-origin": "*",
    "cross-origin-resource-policy": "cross-origin",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "x-robots-tag": "noindex",
    # Kept, but asked about each time: it is gone with its job.
    "cache-control": "no-cache",
}
_METHODS: Final = ("GET", "HEAD")
_TITLES: Final = {
    "artifact_gone": "This site is not kept any more",
    "artifact_not_found": "No such file",
    "not_found": "No such preview",
    "not_over": "Not built yet",
    "nothing_to_preview": "Nothing to show",
}


class PreviewApp:
    """An app of its own beside the API; reading is all it does."""

    def __init__(self, deps: ApiDependencies, listing: Listing, hosts: PreviewHosts) -> None:
        self._deps = deps
        self._listing = listing
        self._hosts = hosts
        own_storage = deps.settings.preview.own_storage
        self._headers = {**_HEADERS, "content-security-policy": f"{_SANDBOX}{_STORAGE if own_storage else ''}"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._answer(Request(scope, receive))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if request.method not in _METHODS:
            return _refused(request, _not_allowed(request.method))
        try:
            return await self._file(request)
        except (Rejected, Unavailable) as error:
            return _refused(request, problem_of(error))

    async def _file(self, request: Request) -> Response:
        job_id = self._deps.known_id(self._hosts.job_of(request.scope))
        async with promptly(self._deps.read_timeout_s):
            site = site_of(await self._listing.of(job_id))
        if site is None:
            raise NothingToPreview(job_id)
        path = request.scope["path"]
        match site.find(path):
            case None:
                raise UnknownArtifact(job_id, path)
            case Moved(folder):
                return redirect_to(folder, self._headers)
            case artifact:
                headers = {**self._headers, "content-type": content_type(artifact.path)}
                return await file_answer(request, self._store(job_id), job_id, artifact, headers)

    def _store(self, job_id: JobId) -> ArtifactStore:
        if self._deps.artifacts is None:
            raise ArtifactGone(job_id, "index.html")
        return self._deps.artifacts


def _refused(request: Request, problem: Problem) -> Response:
    return preview_page(problem, _TITLES, head_only=request.method == "HEAD")


def _not_allowed(method: str) -> Problem:
    allowed = ", ".join(_METHODS)
    detail = f"{method} is not allowed here; allowed: {allowed}"
    return Problem(status=405, code="method_not_allowed", detail=detail, headers={"Allow": allowed})
