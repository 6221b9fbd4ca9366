"""The Host header: exactly one, well formed, and one that is answered here."""

from __future__ import annotations

import re
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from chef_supervisor.api.problems import Problem

_SHAPE: Final = re.compile(rb"(?P<name>[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{0,5})?")


class AllowedHosts:
    """
    Refuses requests for other hosts, so that a page whose name was pointed at this address cannot call the API.

    Args:
        allowed: names without port; `*.example.org` for all below one, `*` for any.
    """

    def __init__(self, app: ASGIApp, allowed: tuple[str, ...]) -> None:
        self._app = app
        self._any = "*" in allowed
        self._names = frozenset(name.lower() for name in allowed)
        self._suffixes = tuple(name[1:].lower() for name in allowed if name.startswith("*."))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) == 1 and self._answered(hosts[0]):
            await self._app(scope, receive, send)
            return
        problem = Problem(status=400, code="invalid_host", detail="send one Host header that is answered here")
        await problem.response()(scope, receive, send)

    def _answered(self, host: bytes) -> bool:
        match = _SHAPE.fullmatch(host)
        if match is None:
            return False
        name = match["name"].decode().lower()
        return self._any or name in self._names or name.endswith(self._suffixes)
