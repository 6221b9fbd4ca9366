"""Who calls a Convex deployment, and with which client, as its headers tell."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import Any, Final

import attrs

# https://semver.org; the longest one from the right counts, and before it is the client's name.
_CLIENT: Final = re.compile(r"[^\s]+?-\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")
_TYPE: Final = re.compile(r"(prod|dev):")
_PREVIEW: Final = re.compile(r"preview:[^:|]*:[^|]*\|")


class Refused(Exception):
    """An answer that no function had a part in."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"refused: {code}")
        self.status = status
        self.code = code


@attrs.frozen
class Caller:
    """`admin`: with a key that may call everything; `acting_as`: the user whom it takes the part of."""

    admin: bool
    acting_as: Mapping[str, Any] | None = None


def check_client(header: str | None) -> str:
    """Returns: the client, which may go without a name. Raises Refused: it has a name and no version."""
    if header is not None and not _CLIENT.fullmatch(header):
        raise Refused(400, "InvalidVersion")
    return header or ""


def caller_of(header: str | None, asked: str | None, keys: Mapping[str, bool]) -> Caller:
    """Returns: who calls. Raises Refused: the key is unknown or may not, or the header is none."""
    if header is None:
        return Caller(admin=False) if asked is None else _admin(asked, keys)
    scheme, _, given = header.partition(" ")
    match scheme.lower():
        case "convex":
            return _admin(given, keys)
        case "bearer":
            # No user is known to the double.
            raise Refused(401, "InvalidAuthHeader")
        case _:
            raise Refused(400, "InvalidHeaderFailure")


def _admin(given: str, keys: Mapping[str, bool]) -> Caller:
    key, split, user = _PREVIEW.sub("", _TYPE.sub("", given, count=1), count=1).partition(":")
    if key not in keys:
        raise Refused(401, "BadAdminKey")
    if not keys[key]:
        raise Refused(403, "BadDeployKey")
    return Caller(admin=True, acting_as=_user(user) if split else None)


def _user(encoded: str) -> Mapping[str, Any]:
    try:
        return dict(json.loads(base64.b64decode(encoded, validate=True)))
    except (binascii.Error, ValueError) as error:
        raise Refused(400, "HeaderParseFailure") from error
