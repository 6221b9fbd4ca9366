"""Files in JSON -> files: plain text, text with an encoding, or the FileMap of Chef; checked before they are kept."""

from __future__ import annotations

import base64
import binascii
import functools
from collections.abc import Mapping
from typing import Final

import attrs
import orjson

from chef_supervisor.domain.errors import TooLarge, Unprocessable
from chef_supervisor.domain.files import ProjectFiles, check_collisions, check_path
from chef_supervisor.settings import FileLimits

# Where Chef's own editor keeps a project; its FileMap has absolute paths.
_ROOT: Final = "/home/project"
_TEXT: Final = frozenset({"utf-8", "utf8"})
_MAX_SHOWN: Final = 100
# Folders and deleted files are only looked at and left out, but that takes its time too.
_ENTRIES_PER_FILE: Final = 10


@attrs.frozen(kw_only=True)
class SentFiles:
    """
    What an object of files says.

    Attributes:
        files: path -> bytes.
        unloaded: those of them that are empty because Chef's editor keeps no content of binary files.
        deleted: paths that are `null`: deleted in the editor.
    """

    files: ProjectFiles = attrs.field(factory=dict, repr=False)
    unloaded: frozenset[str] = frozenset()
    deleted: frozenset[str] = frozenset()


def read_project_files(raw: object, limits: FileLimits, field: str) -> SentFiles:
    """
    Returns: what it says; folders are left out. `field` is where it stood.

    Raises:
        Unprocessable: `invalid_project_files`, `too_many_files`, `invalid_file_content`, or as check_path.
        TooLarge: `file_too_large`, `payload_too_large`.
    """
    if not isinstance(raw, dict):
        raise Unprocessable("invalid_project_files", field, "give an object of path -> content")
    _check_count(raw, limits, field)
    paths: list[str] = []
    files: ProjectFiles = {}
    deleted: set[str] = set()
    unloaded: set[str] = set()
    left = limits.max_total_bytes
    for key, value in raw.items():
        content = _content(key, value, field)
        if content is None:
            deleted |= _left_out(key, value, field)
            continue
        left -= _checked_size(content, key, limits, left, field)
        path = _path(key, field)
        paths.append(path)
        files[path] = content
        if not content and _is_unloaded(value):
            unloaded.add(path)
    check_collisions(paths, field)
    return SentFiles(files=files, unloaded=frozenset(unloaded), deleted=frozenset(deleted) - files.keys())


def read_path(key: str, field: str) -> str:
    """
    Returns: the path as it is kept.

    Raises:
        Unprocessable: as check_path.
    """
    return check_path(key.removeprefix(_ROOT + "/"), field)


# Projects made from one template share most of their paths.
@functools.lru_cache(maxsize=8192)
def _path(key: str, field: str) -> str:
    return read_path(key, field_of(field, key))


def field_of(field: str, key: str) -> str:
    """Returns: where the entry of that name stands, as `data.projectFiles["a.ts"]`."""
    return f"{field}[{orjson.dumps(key[:_MAX_SHOWN]).decode()}]"


def _left_out(key: str, value: object, field: str) -> set[str]:
    """Returns: the path of a deleted file; nothing for a folder."""
    if key.rstrip("/") == _ROOT:
        return set()
    path = _path(key, field)
    return {path} if value is None else set()


def _content(key: str, value: object, field: str) -> bytes | None:
    """Returns: what is in the file, or None where the entry is a folder or was deleted in the editor."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, dict):
        return _described(value, key, field) if _is_file(value) else None
    if value is None and key.startswith(_ROOT):
        return None
    raise _invalid(key, field, "give text, or an object with content and encoding")


def _described(value: Mapping[str, object], key: str, field: str) -> bytes:
    content, encoding = value.get("content"), value.get("encoding", "utf-8")
    if value.get("type", "file") != "file":
        raise _invalid(key, field, 'type is "file" or "folder"')
    if not isinstance(content, str):
        raise _invalid(key, field, "content must be text")
    if encoding == "base64":
        return _decoded(content, key, field)
    if encoding not in _TEXT:
        raise _invalid(key, field, 'encoding is "utf-8" or "base64"')
    # Chef's editor keeps no content of binary files, so an empty one is what there is.
    if value.get("isBinary") is True and content:
        raise _invalid(key, field, 'a binary file needs encoding "base64"')
    return content.encode()


def _decoded(content: str, key: str, field: str) -> bytes:
    try:
        return base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _invalid(key, field, "content is not base64") from error


def _is_unloaded(value: object) -> bool:
    return isinstance(value, dict) and value.get("isBinary") is True and value.get("content") == ""


def _checked_size(content: bytes, key: str, limits: FileLimits, left: int, field: str) -> int:
    size = len(content)
    if size > limits.max_file_bytes:
        raise TooLarge("file_too_large", field_of(field, key), limits.max_file_bytes)
    if size > left:
        raise TooLarge("payload_too_large", field, limits.max_total_bytes)
    return size


def _check_count(raw: Mapping[str, object], limits: FileLimits, field: str) -> None:
    """Refuse too many before any of them is looked at: looking is what takes the time."""
    count, most = sum(map(_is_file, raw.values())), limits.max_files
    if count > most:
        raise Unprocessable("too_many_files", field, f"{count} files; at most {most}")
    most *= _ENTRIES_PER_FILE
    if len(raw) > most:
        raise Unprocessable("too_many_files", field, f"{len(raw)} files, folders and deleted files; at most {most}")


def _is_file(value: object) -> bool:
    return value is not None and not (isinstance(value, dict) and value.get("type") == "folder")


def _invalid(key: str, field: str, detail: str) -> Unprocessable:
    return Unprocessable("invalid_file_content", field_of(field, key), detail)
