"""What a setting may be, as validators of attrs: each raises ValueError with the end of a sentence."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

_MAX_PORT: Final = 65_535
_LEAST_MEMORY_BYTES: Final = 64 << 20
_MOST_MEMORY_BYTES: Final = 1 << 40
# A job that needs more is a job for something else; the lease of a slot must end some time.
MAX_TIMEOUT_MS: Final = 1_800_000


def positive(_instance: object, _attribute: object, value: Any) -> None:
    """More than 0."""
    if value <= 0:
        msg = "must be more than 0"
        raise ValueError(msg)


def not_negative(_instance: object, _attribute: object, value: Any) -> None:
    """0 or more."""
    if value < 0:
        msg = "must be 0 or more"
        raise ValueError(msg)


def between(least: int, most: int) -> Callable[[object, object, int], None]:
    """Returns: a check for `least` to `most`, both allowed."""

    def check(_instance: object, _attribute: object, value: int) -> None:
        if not least <= value <= most:
            msg = f"must be {least} to {most}"
            raise ValueError(msg)

    return check


def enough_memory(_instance: object, _attribute: object, value: Any) -> None:
    """What a box can work with, in bytes."""
    # Less holds no Node, let alone its workspace; most often a unit was forgotten.
    if not _LEAST_MEMORY_BYTES <= value <= _MOST_MEMORY_BYTES:
        msg = "must be 64m to 1024g"
        raise ValueError(msg)


def key_prefix(_instance: object, _attribute: object, value: str) -> None:
    """What may stand before every key in Redis."""
    # A brace would move the hash tag that keeps a queue in one slot of a cluster.
    if not re.fullmatch(r"[A-Za-z0-9_:-]{1,64}", value):
        msg = "must be 1 to 64 letters, digits, _, : or -"
        raise ValueError(msg)


def instance_name(_instance: object, _attribute: object, value: str) -> None:
    """A name of a process, or empty."""
    # It is the name of a folder.
    if value and (value in {".", ".."} or not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", value)):
        msg = "must be 1 to 64 letters, digits, _, . or -"
        raise ValueError(msg)


def host_suffix(_instance: object, _attribute: object, value: str) -> None:
    """A host name below which others are, or empty."""
    # Every preview has a name below it; one label alone would make them neighbours of whatever else is there.
    if value and not re.fullmatch(r"(?=.{1,190}$)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+", value):
        msg = "must be a host name of small letters with a dot in it, such as preview.localhost, or empty"
        raise ValueError(msg)


def volume_name(_instance: object, _attribute: object, value: str) -> None:
    """A name as Docker gives to volumes."""
    if not re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{1,127}", value):
        msg = "must be 2 to 128 letters, digits, _, . or -, the first a letter or digit"
        raise ValueError(msg)


def port(_instance: object, _attribute: object, value: int) -> None:
    """A TCP port; 0 = any free one."""
    if not 0 <= value <= _MAX_PORT:
        msg = f"must be 0 to {_MAX_PORT}"
        raise ValueError(msg)


def within_ceiling(_instance: object, _attribute: object, value: int) -> None:
    """A time that a job may take, in ms."""
    if not 0 < value <= MAX_TIMEOUT_MS:
        msg = f"must be 1 to {MAX_TIMEOUT_MS} (30 minutes)"
        raise ValueError(msg)
