"""Where a Convex deployment is, and who we are there."""

from __future__ import annotations

import re
from typing import Final

import attrs

from chef_supervisor.webhooks.addresses import is_public
from chef_supervisor.webhooks.convex_call import Functions
from chef_supervisor.webhooks.target import BadUrl, Target, parse_target

_END_S: Final = 15.0
_PROGRESS_S: Final = 5.0
_HEADER: Final = re.compile(r"[\x21-\x7e]*")
_SUCH_AS: Final = "such as https://<name>.convex.cloud"
# Names that nobody has on the internet: RFC 6761, 6762 and 8375, ICANN's resolution 2024.07.29.06, and a habit (lan).
_INNER: Final = (".localhost", ".local", ".internal", ".home.arpa", ".test", ".lan")


def _is_deployment(_instance: object, _attribute: object, url: str) -> None:
    # The address is not shown: a password may stand in it.
    try:
        target = parse_target(url)
    except BadUrl as error:
        msg = f"CONVEX_URL {error}; it is the deployment's, {_SUCH_AS}"
        raise ValueError(msg) from None
    if fault := _fault(target):
        msg = f"CONVEX_URL {fault}"
        raise ValueError(msg)


def _fault(target: Target) -> str:
    if target.path.strip("/"):
        return f"must have no path and no query: it is the deployment's own address, {_SUCH_AS}"
    if target.host.endswith(".convex.site"):
        return "must end with .convex.cloud: functions are called there, and .convex.site is for HTTP actions"
    if target.scheme == "http" and not _is_inner(target):
        return (
            "must begin with https://, for the deploy key is sent along; http:// is for a backend in your own network, "
            "by its private address or a name such as backend, backend.internal, backend.local"
        )
    return ""


def _is_inner(target: Target) -> bool:
    """Returns: whether the host can be in our own network alone, as far as its name tells."""
    if target.is_address:
        return not is_public(target.host)
    return "." not in target.host or target.host.endswith(_INNER)


def _is_key(_instance: object, _attribute: object, key: str) -> None:
    if not _HEADER.fullmatch(key):
        msg = "a deploy key of Convex is one line of ASCII without spaces; copy it anew from the dashboard"
        raise ValueError(msg)


@attrs.frozen(kw_only=True)
class ConvexConfig:
    """
    `deploy_key`: without one only public functions can be called. `end_s` and `progress_s`: what one try may take.

    Raises:
        ValueError: the address or the key can be none, or the key would be sent through the internet in the clear; the
            sentence does not show them.
    """

    url: str = attrs.field(repr=False, validator=_is_deployment)
    deploy_key: str = attrs.field(default="", repr=False, validator=_is_key)
    functions: Functions = attrs.field(factory=Functions)
    progress: bool = True
    end_s: float = _END_S
    progress_s: float = _PROGRESS_S

    @property
    def target(self) -> Target:
        """Where functions of the kind are called."""
        return attrs.evolve(parse_target(self.url), path=f"/api/{self.functions.kind}")

    def may_connect(self, address: str) -> bool:
        """Whether the key may be sent there: where nothing hides it, to no machine on the internet."""
        return self.target.scheme != "http" or not is_public(address)
