"""Query parameters: known ones, once each."""

from __future__ import annotations

from collections.abc import Collection

from starlette.requests import Request

from chef_supervisor.domain.errors import Unprocessable


def read_query(request: Request, known: Collection[str] = ()) -> dict[str, str]:
    """
    Returns: the parameters that are there.

    Raises:
        Unprocessable: `unknown_parameter`, or `invalid_parameter` where one stands twice.
    """
    if not request.scope["query_string"]:
        return {}
    query: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name not in known:
            raise Unprocessable("unknown_parameter", name[:50], f"known here: {', '.join(sorted(known)) or 'none'}")
        if name in query:
            raise Unprocessable("invalid_parameter", name, "is there twice")
        query[name] = value
    return query
