"""Seals variables with a key that Redis never has."""

from __future__ import annotations

from collections.abc import Mapping

import orjson
from cryptography.fernet import Fernet, InvalidToken

from chef_supervisor.domain.errors import SecretsUnreadable

_PADDED_TO = 256


class Sealer:
    """
    Holds one key: 32 bytes in URL-safe base64.

    Source: Fernet (github.com/fernet/spec): AES-128-CBC with HMAC-SHA256. What was changed does not open.
    """

    def __init__(self, key: bytes) -> None:
        self._fernet = Fernet(key)

    def seal(self, variables: Mapping[str, str]) -> bytes:
        """Returns: text that tells no name and no value, and their length only roughly."""
        plain = orjson.dumps(dict(variables))
        return self._fernet.encrypt(plain + b" " * (-len(plain) % _PADDED_TO))

    def open(self, sealed: bytes) -> dict[str, str]:
        """
        Returns: what was sealed; nothing where nothing was.

        Raises:
            SecretsUnreadable: it was sealed with another key, or changed since.
        """
        if not sealed:
            return {}
        try:
            return dict(orjson.loads(self._fernet.decrypt(sealed)))
        except (InvalidToken, ValueError) as error:
            raise SecretsUnreadable from error
