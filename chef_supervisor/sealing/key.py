"""The key that secrets are sealed with: from the settings, or made once for all processes on one state folder."""

from __future__ import annotations

import base64
import binascii
import os
from pathlib import Path
from typing import Final

from chef_supervisor.domain.errors import Misconfigured

_KEY_BYTES: Final = 32
_HOW: Final = "python3 -c 'import base64, os; print(base64.b64encode(os.urandom(32)).decode())' makes one"


def sealing_key(configured: str, state_dir: Path) -> bytes:
    """
    Returns: the configured key, else the one in the state folder, which is made where it is missing; in the form that
    `Sealer` takes.

    Raises:
        Misconfigured: the key is no 32 bytes in base64, or the state folder cannot be used.
    """
    if configured:
        return _normal(configured, "CHEF_SECRETS_KEY=***")
    path = state_dir / "secrets.key"
    try:
        if not path.exists():
            _make(path)
        return _normal(path.read_text(encoding="ascii", errors="replace"), str(path))
    except OSError as error:
        raise Misconfigured((f"CHEF_STATE_DIR={str(state_dir)!r}: cannot be used: {error}",)) from error


def _normal(text: str, origin: str) -> bytes:
    try:
        raw = base64.b64decode(text.strip().translate(str.maketrans("-_", "+/")), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != _KEY_BYTES:
        raise Misconfigured((f"{origin}: must be 32 bytes in base64; {_HOW}",))
    return base64.urlsafe_b64encode(raw)


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    hidden = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(base64.urlsafe_b64encode(os.urandom(_KEY_BYTES)))
        file.flush()
        os.fsync(descriptor)
    try:
        # Whole or not at all; where another process was first, its key stands.
        os.link(hidden, path)
    except FileExistsError:
        pass
    finally:
        hidden.unlink()
