"""Requests that a browser sends for any page without asking the service first: only for pages that may call."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request

from chef_supervisor.api.cors import Origins
from chef_supervisor.api.errors import ForeignOrigin
from chef_supervisor.settings import HttpSettings

_MAX_SHOWN: Final = 80


def require_own_page(request: Request, http: HttpSettings) -> None:
    """
    Let pass what no page sent, and what one of `http.cors_origins` did: a page cannot hide where it is from.

    Raises:
        ForeignOrigin: it is another page's.
    """
    origin = request.headers.get("origin")
    if origin is not None and not Origins(http.cors_origins).allow(origin.encode("latin-1")):
        raise ForeignOrigin(origin[:_MAX_SHOWN])
