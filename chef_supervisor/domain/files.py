"""A project's files: path -> bytes, with the rules a path must keep to be written anywhere."""

from __future__ import annotations

import unicodedata
from typing import Final, TypeAlias

from chef_supervisor.domain.errors import Unprocessable

ProjectFiles: TypeAlias = dict[str, bytes]

MAX_PATH_BYTES: Final = 512
MAX_SEGMENT_BYTES: Final = 255
MAX_SEGMENTS: Final = 16
# Ours inside the sandbox: plans, reports and scratch files live below it.
RESERVED: Final = ".chef"
_FORBIDDEN_CATEGORIES: Final = {"Cc", "Cf", "Cs", "Co"}


def check_path(path: str, field: str) -> str:
    """
    Returns: the path in NFC. Relative, no `.` or `..`, no control or invisible characters, not below `.chef/`.

    Raises:
        Unprocessable: with code `invalid_path`, `path_too_long` or `reserved_path`; `field` says where it stood.
    """
    segments = path.split("/")
    if "\\" in path or path[1:2] == ":" or any(segment in ("", ".", "..") for segment in segments):
        raise Unprocessable("invalid_path", field, "use a relative path with / between names and no . or .. in it")
    # Nearly every path is plain, and looking at each character is what takes the time of a large project.
    plain = path.isascii() and path.isprintable()
    if not plain and any(unicodedata.category(char) in _FORBIDDEN_CATEGORIES for char in path):
        raise Unprocessable("invalid_path", field, "control and invisible characters are not allowed in a path")
    normal = unicodedata.normalize("NFC", path)
    _check_length(normal, field)
    if segments[0] == RESERVED:
        raise Unprocessable("reserved_path", field, f"paths below {RESERVED}/ are used by the supervisor")
    return normal


def _check_length(path: str, field: str) -> None:
    segments = path.split("/")
    too_long = (
        len(path.encode()) > MAX_PATH_BYTES
        or len(segments) > MAX_SEGMENTS
        or any(len(segment.encode()) > MAX_SEGMENT_BYTES for segment in segments)
    )
    if too_long:
        detail = f"at most {MAX_PATH_BYTES} bytes, {MAX_SEGMENTS} names, {MAX_SEGMENT_BYTES} bytes a name"
        raise Unprocessable("path_too_long", field, detail)


def check_collisions(paths: list[str], field: str) -> None:
    """
    Refuse a set of paths that no file system could hold.

    Raises:
        Unprocessable: with code `invalid_path`: a path is there twice, or a folder of another, or two differ only in
            case. The paths are named.
    """
    # Folded by case: two such files would be one on the disk that a Mac or Windows user builds on.
    by_folded: dict[str, str] = {}
    for path in paths:
        folded = path.casefold()
        if folded in by_folded:
            raise Unprocessable("invalid_path", field, _same_file(by_folded[folded], path))
        by_folded[folded] = path
    for path in by_folded:
        parent, slash, _ = path.rpartition("/")
        while slash:
            if parent in by_folded:
                raise Unprocessable("invalid_path", field, f"{by_folded[parent]!r} is both a file and a folder")
            parent, slash, _ = parent.rpartition("/")


def _same_file(one: str, other: str) -> str:
    if one == other:
        return f"{one!r} is there twice"
    return f"{one!r} and {other!r} differ only in upper and lower case"
