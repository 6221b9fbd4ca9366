"""The cipher that seals. Apart from `seal.py`, for it loads OpenSSL: 7 MB that most services never need."""

from __future__ import annotations

from cryptography.fernet import Fernet, InvalidToken

from chef_supervisor.domain.errors import SecretsUnreadable


class Cipher:
    """Source: Fernet (github.com/fernet/spec): AES-128-CBC with HMAC-SHA256. What was changed does not open."""

    def __init__(self, key: bytes) -> None:
        self._fernet = Fernet(key)

    def encrypt(self, plain: bytes) -> bytes:
        """Returns: text."""
        return self._fernet.encrypt(plain)

    def decrypt(self, sealed: bytes) -> bytes:
        """
        Returns: what was encrypted.

        Raises:
            SecretsUnreadable: with another key, or it was changed since.
        """
        try:
            return self._fernet.decrypt(sealed)
        except InvalidToken as error:
            raise SecretsUnreadable from error
