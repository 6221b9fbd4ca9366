"""
Signatures of Standard Webhooks 1.0.0, symmetric: HMAC-SHA256 over `id.timestamp.body`.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Final

import attrs

from chef_supervisor.domain.errors import Bug, Misconfigured

_PREFIX: Final = "whsec_"
_LEAST_BYTES: Final = 24
_MOST_BYTES: Final = 64
_HOW: Final = (
    f"must be {_PREFIX} and the base64 of {_LEAST_BYTES} to {_MOST_BYTES} random bytes, "
    f"as printed by: echo {_PREFIX}$(openssl rand -base64 32)"
)


@attrs.frozen
class Secrets:
    """
    What one receiver's events are signed with: each of the keys, so that the receiver may know the new one or the old.

    Raises:
        ValueError: there is none.
    """

    keys: tuple[bytes, ...] = attrs.field(repr=False, validator=attrs.validators.min_len(1))

    def for_host(self, host: str) -> Secrets:
        """
        Returns: what callbacks to that host are signed with, a key for each of these, and none of which tells another:
            HMAC-SHA256 of `callback.<host>`. `host`: as callback rules have it, in lower case.
        """
        said = f"callback.{host}".encode()
        return Secrets(tuple(hmac.digest(key, said, hashlib.sha256) for key in self.keys))

    def texts(self) -> tuple[str, ...]:
        """Returns: them as receivers are given them."""
        return tuple(f"{_PREFIX}{base64.b64encode(key).decode()}" for key in self.keys)

    def headers(self, event_id: str, at_s: int, body: bytes) -> Mapping[str, str]:
        """
        Sign the exact bytes that are sent. `at_s`: the time of this try in whole seconds since the epoch.

        Raises:
            Bug: the id has a dot, so that it could be taken for another id with another timestamp.
        """
        if "." in event_id:
            raise Bug(f"the id of an event must have no dot: {event_id}")
        signed = b"%s.%d.%s" % (event_id.encode(), at_s, body)
        return {
            "webhook-id": event_id,
            "webhook-timestamp": str(at_s),
            "webhook-signature": " ".join(_signature(key, signed) for key in self.keys),
        }


def parse_secrets(setting: str, texts: Sequence[str]) -> Secrets:
    """
    Returns: the secrets that a setting holds. The sentences of faults name the setting and never show a secret.

    Raises:
        Misconfigured: there is none, or one is not `whsec_` and the base64 of 24 to 64 bytes.
    """
    if not texts:
        raise Misconfigured((f"{setting}: is empty; it {_HOW}",))
    keys = [_key(text) for text in texts]
    faults = [f"{setting}: secret {number} {_HOW}" for number, key in enumerate(keys, 1) if key is None]
    if faults:
        raise Misconfigured(tuple(faults))
    return Secrets(tuple(key for key in keys if key is not None))


def _key(text: str) -> bytes | None:
    if not text.startswith(_PREFIX):
        return None
    try:
        key = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if _LEAST_BYTES <= len(key) <= _MOST_BYTES else None


def _signature(key: bytes, signed: bytes) -> str:
    return f"v1,{base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()}"
