"""The Host header: exactly one, well formed, and one that is answered here."""

from __future__ import annotations

import functools
import re
from typing import Final

import attrs
from starlette.types import Scope

# A page can only have these as its own host where it came from this machine.
_LOCAL: Final = ("localhost", "127.0.0.1", "[::1]")
_SETTING: Final = "CHEF_HTTP_ALLOWED_HOSTS"
_SHAPE: Final = re.compile(rb"(?P<name>[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?P<port>:[0-9]{0,5})?")


@attrs.frozen
class Host:
    """A Host header: the name in small letters, without the dot that may end it; `:port` or nothing."""

    name: str
    port: str


def host_of(scope: Scope) -> Host | None:
    """Returns: the host that is asked; None where there is not exactly one well-formed header."""
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    return _parsed(hosts[0]) if len(hosts) == 1 else None


# Callers use few names; what is asked for under many others is not kept for long.
@functools.lru_cache(maxsize=256)
def _parsed(header: bytes) -> Host | None:
    match = _SHAPE.fullmatch(header)
    if match is None:
        return None
    # `localhost.` is `localhost`, and must not be another host where it matters.
    return Host(match["name"].decode().lower().removesuffix("."), (match["port"] or b"").decode())


class AllowedHosts:
    """
    The hosts that are answered, so that a page whose name was pointed at this address cannot call the API.

    Args:
        allowed: names without port; `local` for this machine, `*.example.org` for all below one, `*` for any.
    """

    def __init__(self, allowed: tuple[str, ...]) -> None:
        self._any = "*" in allowed
        names = {name.lower() for name in allowed}
        self._names = frozenset((names - {"local"}).union(_LOCAL) if "local" in names else names)
        self._suffixes = tuple(name[1:].lower() for name in allowed if name.startswith("*."))

    def refusal(self, host: Host | None) -> str | None:
        """Returns: what to do, or None where the one host is answered."""
        if host is None:
            return f"send one Host header, a name with or without a port; {_SETTING} lists those that are answered"
        if self._any or host.name in self._names or host.name.endswith(self._suffixes):
            return None
        return f"the host {host.name} is not answered here; {_SETTING} lists those that are"
