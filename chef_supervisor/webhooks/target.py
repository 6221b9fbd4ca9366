"""
Addresses of receivers, read by one parser of our own, narrower than RFC 3986: what it took apart is what is connected
to, so that no second parser can understand the same text differently.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final

import attrs

MOST_CHARACTERS: Final = 2048
_MOST_HOST: Final = 253
_MOST_PORT: Final = 65_535
_PORTS: Final = {"http": 80, "https": 443}
# The characters of RFC 3986 and no others: no space, no control character, no backslash, nothing beyond ASCII.
_CHARACTERS: Final = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*")
# RFC 3986, appendix B.
_PARTS: Final = re.compile(r"(?P<scheme>[^:/?#]*)://(?P<authority>[^/?#]*)(?P<rest>[^#]*)(?P<fragment>#.*)?")
_AUTHORITY: Final = re.compile(r"(?P<host>\[[^\]]*\]|[^:\[\]]*)(:(?P<port>[0-9]{1,5}))?")
# With the underscore, which names inside a network often have.
_LABEL: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
# The URL standard takes a host whose last label is a number, 0x included, for an IPv4 address: 127.1, 0x7f000001.
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")


class BadUrl(ValueError):
    """An address that is not taken; `str()` goes on after its name: "must ..."."""


@attrs.frozen(kw_only=True)
class Target:
    """Where a request goes. `host`: in lower case, an IPv6 address without brackets; `path`: with the query."""

    scheme: str
    host: str
    port: int
    path: str = attrs.field(repr=False)

    @property
    def is_address(self) -> bool:
        """Whether the host is an IP address."""
        return is_address(self.host)

    @property
    def host_header(self) -> str:
        """What the `Host` header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def parse_target(url: str) -> Target:
    """
    Returns: the parts of an http or https address.

    Raises:
        BadUrl: it is none, or has what no receiver needs: a user, a fragment, other characters than those of RFC 3986.
    """
    if len(url) > MOST_CHARACTERS:
        raise BadUrl(f"must have at most {MOST_CHARACTERS} characters")
    if not _CHARACTERS.fullmatch(url):
        raise BadUrl("must have only characters that a URL may have; write a host in punycode, all else with %")
    parts = _PARTS.fullmatch(url)
    if parts is None or parts["scheme"].lower() not in _PORTS:
        raise BadUrl("must be an address such as https://hooks.example.com/path")
    if parts["fragment"] is not None:
        raise BadUrl("must have no fragment (#...)")
    return _target(parts["scheme"].lower(), parts["authority"].lower(), parts["rest"])


def _target(scheme: str, authority: str, rest: str) -> Target:
    if "@" in authority:
        raise BadUrl("must have no user or password; deliveries are signed instead")
    parts = _AUTHORITY.fullmatch(authority)
    if parts is None or not 0 < int(parts["port"] or _PORTS[scheme]) <= _MOST_PORT:
        raise BadUrl(f"must have a port of 1 to {_MOST_PORT}, or none")
    path = rest if rest.startswith("/") else f"/{rest}"
    return Target(scheme=scheme, host=_host(parts["host"]), port=int(parts["port"] or _PORTS[scheme]), path=path)


def _host(text: str) -> str:
    host = text.removeprefix("[").removesuffix("]") if text.startswith("[") else text
    if not is_address(host) and (text.startswith("[") or not is_name(host)):
        raise BadUrl("must have a host that is a name such as hooks.example.com, without a dot at its end")
    return host


def is_address(host: str) -> bool:
    """Whether it is an IP address as it is written in full."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    # A zone (fe80::1%eth0) is for this machine alone to understand.
    return "%" not in host


def is_name(host: str) -> bool:
    """Whether it is a name in lower case that nobody can take for an IP address."""
    labels = host.split(".")
    well_formed = len(host) <= _MOST_HOST and all(_LABEL.fullmatch(label) for label in labels)
    return well_formed and _NUMBER.fullmatch(labels[-1]) is None
