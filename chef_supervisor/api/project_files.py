"""`data.projectFiles` -> files: plain text, text with an encoding, or the FileMap of Chef; checked before they are kept."""

from __future__ import annotations

import base64
import binascii
import functools
from collections.abc import Mapping
from typing import Final

import orjson

from chef_supervisor.domain.errors import TooLarge, Unprocessable
from chef_supervisor.domain.files import ProjectFiles, check_collisions, check_path
from chef_supervisor.settings import FileLimits

FIELD: Final = "data.projectFiles"
# Where Chef's own editor keeps a project; its FileMap has absolute paths.
_ROOT: Final = "/home/project"
_TEXT: Final = frozenset({"utf-8", "utf8"})
_MAX_SHOWN: Final = 100
# Folders and deleted files are only looked at and left out, but that takes its time too.
_ENTRIES_PER_FILE: Final = 10


def read_project_files(raw: object, limits: FileLimits) -> ProjectFiles:
    """
    Returns: path -> bytes; folders are left out.

    Raises:
        Unprocessable: `invalid_project_files`, `no_files`, `too_many_files`, `invalid_file_content`, or as check_path.
        TooLarge: `file_too_large`, `payload_too_large`.
    """
    if not isinstance(raw, dict):
        raise Unprocessable("invalid_project_files", FIELD, "give an object of path -> content")
    _check_count(raw, limits)
    paths: list[str] = []
    files: ProjectFiles = {}
    left = limits.max_total_bytes
    for key, value in raw.items():
        content = _content(key, value)
        if content is None:
            _check_folder(key)
            continue
        left -= _checked_size(content, key, limits, left)
        path = _path(key)
        paths.append(path)
        files[path] = content
    if not paths:
        raise Unprocessable("no_files", FIELD, "there is no file in it")
    check_collisions(paths, FIELD)
    return files


def _field_of(key: str) -> str:
    return f"{FIELD}[{orjson.dumps(key[:_MAX_SHOWN]).decode()}]"


# Projects made from one template share most of their paths.
@functools.lru_cache(maxsize=8192)
def _path(key: str) -> str:
    return check_path(key.removeprefix(_ROOT + "/"), _field_of(key))


def _check_folder(key: str) -> None:
    if key.rstrip("/") != _ROOT:
        _path(key)


def _content(key: str, value: object) -> bytes | None:
    """Returns: what is in the file, or None where the entry is a folder or was deleted in the editor."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, dict):
        return _described(value, key) if _is_file(value) else None
    if value is None and key.startswith(_ROOT):
        return None
    raise _invalid(key, "give text, or an object with content and encoding")


def _described(value: Mapping[str, object], key: str) -> bytes:
    content, encoding = value.get("content"), value.get("encoding", "utf-8")
    if value.get("type", "file") != "file":
        raise _invalid(key, 'type is "file" or "folder"')
    if not isinstance(content, str):
        raise _invalid(key, "content must be text")
    if encoding == "base64":
        return _decoded(content, key)
    if encoding not in _TEXT:
        raise _invalid(key, 'encoding is "utf-8" or "base64"')
    # Chef's editor keeps no content of binary files, so an empty one is what there is.
    if value.get("isBinary") is True and content:
        raise _invalid(key, 'a binary file needs encoding "base64"')
    return content.encode()


def _decoded(content: str, key: str) -> bytes:
    try:
        return base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _invalid(key, "content is not base64") from error


def _checked_size(content: bytes, key: str, limits: FileLimits, left: int) -> int:
    size = len(content)
    if size > limits.max_file_bytes:
        raise TooLarge("file_too_large", _field_of(key), limits.max_file_bytes)
    if size > left:
        raise TooLarge("payload_too_large", FIELD, limits.max_total_bytes)
    return size


def _check_count(raw: Mapping[str, object], limits: FileLimits) -> None:
    """Refuse too many before any of them is looked at: looking is what takes the time."""
    count, most = sum(map(_is_file, raw.values())), limits.max_files
    if count > most:
        raise Unprocessable("too_many_files", FIELD, f"{count} files; at most {most}")
    most *= _ENTRIES_PER_FILE
    if len(raw) > most:
        raise Unprocessable("too_many_files", FIELD, f"{len(raw)} files, folders and deleted files; at most {most}")


def _is_file(value: object) -> bool:
    return value is not None and not (isinstance(value, dict) and value.get("type") == "folder")


def _invalid(key: str, detail: str) -> Unprocessable:
    return Unprocessable("invalid_file_content", _field_of(key), detail)
