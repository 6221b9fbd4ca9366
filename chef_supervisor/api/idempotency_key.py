"""The header `Idempotency-Key`, by which a request that is sent twice is one."""

from __future__ import annotations

import re
from typing import Final

from starlette.requests import Request

from chef_supervisor.domain.errors import BadRequest

REPLAYED: Final = {"Idempotent-Replayed": "true"}
_SHAPE: Final = re.compile(r"[\x21-\x7e]{1,255}")


def read_idempotency_key(request: Request) -> str | None:
    """
    Returns: the key, or None where the header is absent.

    Raises:
        BadRequest: `invalid_idempotency_key`: there are two, or it is empty, too long or has other characters.
    """
    # The parser leaves the spaces behind a value, which are no part of it (RFC 9110, 5.5).
    keys = [key.strip(" \t") for key in request.headers.getlist("idempotency-key")]
    if not keys:
        return None
    if len(keys) > 1 or _SHAPE.fullmatch(keys[0]) is None:
        detail = "send one Idempotency-Key of 1 to 255 printable ASCII characters without spaces"
        raise BadRequest("invalid_idempotency_key", detail)
    return keys[0]
