"""The Host header: exactly one, well formed, and one that is answered here."""

from __future__ import annotations

import re
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from chef_supervisor.api.problems import Problem

# A page can only have these as its own host where it came from this machine.
_LOCAL: Final = ("localhost", "127.0.0.1", "[::1]")
_SETTING: Final = "CHEF_HTTP_ALLOWED_HOSTS"
_SHAPE: Final = re.compile(rb"(?P<name>[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{0,5})?")


class AllowedHosts:
    """
    Refuses requests for other hosts, so that a page whose name was pointed at this address cannot call the API.

    Args:
        allowed: names without port; `local` for this machine, `*.example.org` for all below one, `*` for any.
    """

    def __init__(self, app: ASGIApp, allowed: tuple[str, ...]) -> None:
        self._app = app
        self._any = "*" in allowed
        names = {name.lower() for name in allowed}
        self._names = frozenset((names - {"local"}).union(_LOCAL) if "local" in names else names)
        self._suffixes = tuple(name[1:].lower() for name in allowed if name.startswith("*."))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal([value for name, value in scope["headers"] if name == b"host"])
        if refusal is None:
            await self._app(scope, receive, send)
            return
        problem = Problem(status=400, code="invalid_host", detail=refusal)
        await problem.response()(scope, receive, send)

    def _refusal(self, hosts: list[bytes]) -> str | None:
        """Returns: what to do, or None where the one host is answered."""
        match = _SHAPE.fullmatch(hosts[0]) if len(hosts) == 1 else None
        if match is None:
            return f"send one Host header, a name with or without a port; {_SETTING} lists those that are answered"
        name = match["name"].decode().lower()
        if self._any or name in self._names or name.endswith(self._suffixes):
            return None
        return f"the host {name} is not answered here; {_SETTING} lists those that are"
