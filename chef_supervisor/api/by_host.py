"""Which app answers, by the Host header alone: previews and the API never share a host."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from chef_supervisor.api.preview_address import PreviewHosts


class ByHost:
    """Asks the app of the previews under their names, and the API under all others, which checks them itself."""

    def __init__(self, api: ASGIApp, previews: ASGIApp, hosts: PreviewHosts) -> None:
        self._api = api
        self._previews = previews
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_preview = scope["type"] == "http" and self._hosts.are_asked(scope)
        await (self._previews if is_preview else self._api)(scope, receive, send)
