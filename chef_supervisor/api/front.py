"""
What stands before every endpoint: which app answers, to whom, and what every answer has.

Which app, is told by the Host header alone: previews and the API never share a host.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chef_supervisor.api.cors import Cors, Headers, answer_preflight
from chef_supervisor.api.hosts import AllowedHosts, host_of
from chef_supervisor.api.preview_address import PreviewHosts
from chef_supervisor.api.problems import Problem
from chef_supervisor.settings import HttpSettings

# Nothing tells a server's name, version or clock.
_ALWAYS: Final = [(b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store")]


class Front:
    """
    Asks the app of the previews under their names, and the API under all others that are answered here.

    For the API it answers preflights, and adds to every answer what all have, whoever made it.
    """

    def __init__(self, api: ASGIApp, previews: ASGIApp, preview_hosts: PreviewHosts, http: HttpSettings) -> None:
        self._api = api
        self._previews = previews
        self._preview_hosts = preview_hosts
        self._hosts = AllowedHosts(http.allowed_hosts)
        self._cors = Cors(http.cors_origins)
        self._without_origin: Headers = [*self._cors.granted(None), *_ALWAYS]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        host = host_of(scope)
        if self._preview_hosts.are_asked(host):
            await self._previews(scope, receive, send)
            return
        headers = dict(scope["headers"])
        origin = headers.get(b"origin")
        added = self._without_origin if origin is None else [*self._cors.granted(origin), *_ALWAYS]

        # Not a coroutine of its own: it is one step of each message's way, and there is nothing to wait for.
        def send_with_headers(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *added]
            return send(message)

        if scope["method"] == "OPTIONS" and b"access-control-request-method" in headers:
            await answer_preflight(send, added)
        elif (refusal := self._hosts.refusal(host)) is not None:
            problem = Problem(status=400, code="invalid_host", detail=refusal)
            await problem.response()(scope, receive, send_with_headers)
        else:
            await self._api(scope, receive, send_with_headers)
