"""Where a Convex deployment is, and who we are there."""

from __future__ import annotations

import re
from typing import Final

import attrs

from chef_supervisor.webhooks.convex_call import Functions

_END_S: Final = 15.0
_PROGRESS_S: Final = 5.0
_ADDRESS: Final = re.compile(r"https?://[\x21-\x7e]+")
_HEADER: Final = re.compile(r"[\x21-\x7e]*")


def _without_slash(url: str) -> str:
    return url.rstrip("/")


def _is_address(_instance: object, _attribute: object, url: str) -> None:
    if not _ADDRESS.fullmatch(url):
        msg = "the address of a Convex deployment begins with https:// and has no spaces: https://<name>.convex.cloud"
        raise ValueError(msg)


def _is_key(_instance: object, _attribute: object, key: str) -> None:
    if not _HEADER.fullmatch(key):
        msg = "a deploy key of Convex is one line of ASCII without spaces; copy it anew from the dashboard"
        raise ValueError(msg)


@attrs.frozen(kw_only=True)
class ConvexConfig:
    """
    `deploy_key`: without one only public functions can be called. `end_s` and `progress_s`: what one try may take.

    Raises:
        ValueError: the address or the key can be none; the sentence does not show the key.
    """

    url: str = attrs.field(converter=_without_slash, validator=_is_address)
    deploy_key: str = attrs.field(default="", repr=False, validator=_is_key)
    functions: Functions = attrs.field(factory=Functions)
    progress: bool = True
    end_s: float = _END_S
    progress_s: float = _PROGRESS_S
