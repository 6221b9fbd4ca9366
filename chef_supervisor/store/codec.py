"""Bytes as they lie in Redis: compressed payloads, and results as the JSON that the API shows."""

from __future__ import annotations

import asyncio
import zlib
from typing import Any, Final

import attrs
import orjson
from cattrs.errors import CattrsError
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override
from cattrs.preconf.orjson import OrjsonConverter, make_converter

from chef_supervisor.domain.errors import Bug
from chef_supervisor.domain.outcome import Result

# Below, the deflate header and the work cost more than they save.
_COMPRESS_FROM_BYTES: Final = 1024
# From here on it takes milliseconds, which the event loop must not stand still for.
_THREAD_FROM_BYTES: Final = 128 * 1024
_LEVEL: Final = 1
_MOST_STORY: Final = 300
_PLAIN: Final = b"\x00"
_DEFLATED: Final = b"\x01"


async def pack(content: bytes) -> bytes:
    """Returns: a tag of one byte and the content, compressed where that saves anything."""
    if len(content) < _THREAD_FROM_BYTES:
        return pack_small(content)
    return await asyncio.to_thread(pack_small, content)


async def unpack(stored: bytes) -> bytes:
    """
    Returns: what `pack` was given.

    Raises:
        Bug: the bytes were not made by `pack`.
    """
    if len(stored) < _THREAD_FROM_BYTES:
        return unpack_small(stored)
    return await asyncio.to_thread(unpack_small, stored)


def encode_result(result: Result) -> bytes:
    """Returns: the result as JSON in camelCase. A lone surrogate, which JSON cannot hold, becomes a question mark."""
    shape = _CONVERTER.unstructure(result)
    try:
        return orjson.dumps(shape)
    except orjson.JSONEncodeError:
        return orjson.dumps(_without_surrogates(shape))


def decode_result(encoded: bytes) -> Result:
    """
    Returns: the result that `encode_result` was given.

    Raises:
        ValueError: it is none, or has what this version does not know.
    """
    try:
        shape = orjson.loads(encoded)
        return _CONVERTER.structure(shape if isinstance(shape, dict) else {}, Result)
    except (CattrsError, TypeError, ValueError) as error:
        msg = "a stored result that this version cannot read"
        raise ValueError(msg) from error


def pack_small(content: bytes) -> bytes:
    """Returns: what `pack` does, for a content that takes no time worth mentioning."""
    if len(content) >= _COMPRESS_FROM_BYTES:
        deflated = zlib.compress(content, _LEVEL)
        if len(deflated) < len(content):
            return _DEFLATED + deflated
    return _PLAIN + content


def one_line(text: str) -> str:
    """Returns: the text as part of a job's story: on one line, not longer than anybody reads."""
    flat = " ".join(text.encode(errors="replace").decode().split())
    return flat if len(flat) <= _MOST_STORY else flat[: _MOST_STORY - 3] + "..."


def pack_plain(content: bytes) -> bytes:
    """Returns: what `unpack` understands, and a script can read."""
    return _PLAIN + content


def unpack_small(stored: bytes) -> bytes:
    """Returns: what `unpack` does, for a content that takes no time worth mentioning. Raises Bug as it does."""
    tag, content = stored[:1], memoryview(stored)[1:]
    if tag == _PLAIN:
        return bytes(content)
    if tag != _DEFLATED:
        raise Bug(f"stored bytes with the unknown tag {tag!r}")
    try:
        return zlib.decompress(content)
    except zlib.error as error:
        raise Bug("stored bytes that cannot be decompressed") from error


def _without_surrogates(value: Any) -> Any:
    match value:
        case str():
            return value.encode(errors="replace").decode()
        case dict():
            return {key: _without_surrogates(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_without_surrogates(inner) for inner in value]
        case _:
            return value


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


def _make_converter() -> OrjsonConverter:
    converter = make_converter()

    @converter.register_unstructure_hook_factory(attrs.has)
    def _in_camel_case(cls: type[attrs.AttrsInstance]) -> Any:
        return make_dict_unstructure_fn(cls, converter, **_renames(cls))

    @converter.register_structure_hook_factory(attrs.has)
    def _from_camel_case(cls: type[attrs.AttrsInstance]) -> Any:
        return make_dict_structure_fn(cls, converter, _cattrs_forbid_extra_keys=True, **_renames(cls))

    return converter


def _renames(cls: type[attrs.AttrsInstance]) -> Any:
    return {field.name: override(rename=_camel(field.name)) for field in attrs.fields(cls)}


_CONVERTER: Final = _make_converter()
