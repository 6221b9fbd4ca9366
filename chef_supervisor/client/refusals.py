"""What the service says no with (RFC 9457) as errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import httpx

from chef_supervisor.client.errors import ClientError, NotFound, Refused, Unavailable

_NOT_FOUND: Final = 404
_FIRST_OF_THE_SERVICE: Final = 500
_MAX_SHOWN: Final = 300


def refusal(response: httpx.Response) -> ClientError:
    """Returns: the error of an answer that is no success; one without a problem document, as of a proxy, is cut."""
    problem = _problem(response)
    code, detail = str(problem.get("code", "")), str(problem.get("detail", "")) or response.text[:_MAX_SHOWN]
    if response.status_code >= _FIRST_OF_THE_SERVICE:
        return Unavailable(status=response.status_code, code=code, detail=detail)
    kind = NotFound if response.status_code == _NOT_FOUND else Refused
    errors = problem.get("errors", ())
    return kind(
        status=response.status_code,
        code=code,
        detail=detail,
        path=str(problem.get("path", "")),
        errors=tuple(one for one in errors if isinstance(one, dict)) if isinstance(errors, list) else (),
    )


def _problem(response: httpx.Response) -> Mapping[str, Any]:
    try:
        document = response.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
