"""Seals variables with a key that Redis never has."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import orjson

from chef_supervisor.domain.errors import SecretsUnreadable

if TYPE_CHECKING:
    from chef_supervisor.sealing.cipher import Cipher

_PADDED_TO = 256


class Sealer:
    """
    Holds one key: 32 bytes in URL-safe base64.

    The first secret takes some 50 ms longer: the cipher is loaded with it.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def seal(self, variables: Mapping[str, str]) -> bytes:
        """Returns: text that tells no name and no value, and their length only roughly."""
        plain = orjson.dumps(dict(variables))
        return self._cipher.encrypt(plain + b" " * (-len(plain) % _PADDED_TO))

    def open(self, sealed: bytes) -> dict[str, str]:
        """
        Returns: what was sealed; nothing where nothing was.

        Raises:
            SecretsUnreadable: it was sealed with another key, or changed since.
        """
        if not sealed:
            return {}
        try:
            return dict(orjson.loads(self._cipher.decrypt(sealed)))
        except ValueError as error:
            raise SecretsUnreadable from error

    @cached_property
    def _cipher(self) -> Cipher:
        from chef_supervisor.sealing.cipher import Cipher  # noqa: PLC0415  (large, and seldom needed)

        return Cipher(self._key)
