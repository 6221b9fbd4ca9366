"""The way to the endpoints that are asked all the time: a look-up, where Starlette tries one pattern after another."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Final, TypeAlias

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from chef_supervisor.api.problems import answer_to
from chef_supervisor.domain.errors import ChefError

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]
_JOB: Final = "{job_id}"


class Direct:
    """
    Asks an endpoint whose path is given in full, or up to a job's id at its end; all else is the app's.

    So are the answers to what is wrong: a path that there is not, a method that is not allowed.
    """

    def __init__(self, app: ASGIApp, routes: Iterable[Route]) -> None:
        self._app = app
        every = [(method, *route.path.rpartition("/"), route) for route in routes for method in route.methods or ()]
        self._whole: dict[tuple[str, str], Endpoint] = {
            (method, route.path): route.endpoint for method, _, _, _, route in every if "{" not in route.path
        }
        self._of_job: dict[tuple[str, str], Endpoint] = {
            (method, folder): route.endpoint for method, folder, _, last, route in every if last == _JOB
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = self._endpoint(scope)
        if endpoint is None:
            await self._app(scope, receive, send)
            return
        try:
            response = await endpoint(Request(scope, receive))
        except (ChefError, ClientDisconnect) as error:
            response = answer_to(error)
        await response(scope, receive, send)

    def _endpoint(self, scope: Scope) -> Endpoint | None:
        method, path = scope["method"], scope["path"]
        found = self._whole.get((method, path))
        if found is None:
            folder, _, name = path.rpartition("/")
            found = self._of_job.get((method, folder)) if name else None
            scope["path_params"] = {"job_id": name}
        return found
