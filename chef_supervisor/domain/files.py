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
        Unprocessable: with code `invalid_path`: a path is a folder of another, or two differ only in case.
    """
    # Folded by case: two such files would be one on the disk that a Mac or Windows user builds on.
    folded = {path.casefold() for path in paths}
    if len(folded) < len(paths):
        raise Unprocessable("invalid_path", field, "two paths differ only in upper and lower case")
    for path in folded:
        parent, slash, _ = path.rpartition("/")
        while slash:
            if parent in folded:
                raise Unprocessable("invalid_path", field, f"{parent!r} is both a file and a folder")
            parent, slash, _ = parent.rpartition("/")
