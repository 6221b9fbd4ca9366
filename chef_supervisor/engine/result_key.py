"""The key of a piece of work: jobs with the same key would find the same, so one result can stand for all of them."""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Mapping
from typing import Any

import attrs

from chef_supervisor import __version__
from chef_supervisor.engine.plan import Plan


def result_key(
    planned: Plan, *, tenant: str, place: str, dependencies: str = "", warnings: tuple[str, ...] = ()
) -> str:
    """
    Returns: SHA-256 in hex over all that a result depends on, and our own version, which reads it.

    The plan has the files, steps, variables, globs, reports and limits. `place`: the sandbox and its image.
    `dependencies`: the key of what was installed and of the secrets that it took, empty without any. `warnings`: what
    was told of the files before they were planned, which is part of the result.

    Raises:
        TypeError: a plan holds something whose bytes are not known here; it must be told how.
    """
    digest = hashlib.sha256()
    _feed(digest, (__version__, tenant, place, dependencies, warnings, planned))
    return digest.hexdigest()


def _feed(digest: Any, value: object) -> None:
    """Every value stands with its kind and its length, so that no two differ in where one ends and the next begins."""
    match value:
        case bytes():
            _leaf(digest, "bytes", value)
        case enum.Enum():
            _leaf(digest, "enum", str(value.value).encode())
        case str():
            _leaf(digest, "str", value.encode(errors="surrogatepass"))
        case None | bool() | int() | float():
            _leaf(digest, type(value).__name__, repr(value).encode())
        case Mapping():
            _group(digest, "map", [part for name in sorted(value) for part in (name, value[name])])
        case tuple() | list():
            _group(digest, "list", value)
        case _:
            _group(digest, type(value).__name__, [_fields(value)])


def _fields(value: object) -> dict[str, Any]:
    kind = type(value)
    if not attrs.has(kind):
        msg = f"{kind.__name__} has no place in the key of a result"
        raise TypeError(msg)
    return {field.name: getattr(value, field.name) for field in attrs.fields(kind)}


def _leaf(digest: Any, kind: str, content: bytes) -> None:
    digest.update(f"{kind}:{len(content)}:".encode())
    digest.update(content)


def _group(digest: Any, kind: str, parts: list[Any] | tuple[Any, ...]) -> None:
    digest.update(f"{kind}:{len(parts)}:".encode())
    for part in parts:
        _feed(digest, part)
