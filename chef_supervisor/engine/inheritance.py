"""`extends = "npm"`: a toolchain's file says only what differs from another one's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from chef_supervisor.engine.shapes import a_dict

Tables: TypeAlias = dict[str, Any]

# Laid over the other's key by key; all else is replaced whole: half a condition of one and half of another is neither.
_OVERLAID: Final = ("env", "files", "words", "programs", "versions", "jobs", "install", "install.env")


class Unrelated(ValueError):
    """What a file extends is not there, or extends it in turn."""


def inherited(name: str, files: Mapping[str, Tables]) -> Tables:
    """
    Returns: the tables of the toolchain of that name, over those of what it extends; `files` are by toolchain name.

    Raises:
        Unrelated: with a sentence.
    """
    return _inherited(name, files, ())


def _inherited(name: str, files: Mapping[str, Tables], children: tuple[str, ...]) -> Tables:
    own = files[name]
    base = own.get("extends")
    if base is None:
        return own
    if not isinstance(base, str) or base not in files:
        msg = f"extends: there is no toolchain {base!r}"
        raise Unrelated(msg)
    if base in {name, *children}:
        msg = f"extends: {base!r} extends this one"
        raise Unrelated(msg)
    rest = {key: value for key, value in own.items() if key != "extends"}
    return _over(_inherited(base, files, (*children, name)), rest, "")


def _over(base: Tables, own: Tables, at: str) -> Tables:
    merged = {**base, **own}
    for key in own.keys() & base.keys():
        if f"{at}{key}" in _OVERLAID:
            merged[key] = _over(a_dict(base[key]), a_dict(own[key]), f"{key}.")
    return merged
