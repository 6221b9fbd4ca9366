"""Files below a folder, without ever following a link: every name is opened from the folder before it."""

from __future__ import annotations

import os
import stat

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
_CHUNK = 1 << 18


class Escapes(Exception):
    """A path that would leave its folder."""


def segments(path: str) -> list[str]:
    """
    Returns: the names of a relative path.

    Raises:
        Escapes: it is absolute, empty, or has `.`, `..` or NUL in it.
    """
    names = path.split("/")
    if "\0" in path or any(name in ("", ".", "..") for name in names):
        raise Escapes(path)
    return names


def open_folder(root: int, names: list[str], *, create: bool = False) -> int:
    """Returns: a descriptor of the folder `names` below `root`, made where it is missing and `create` is set."""
    folder = os.dup(root)
    for name in names:
        if create:
            _make_folder(name, folder)
        try:
            inner = os.open(name, _DIRECTORY, dir_fd=folder)
        finally:
            os.close(folder)
        folder = inner
    return folder


def _make_folder(name: str, folder: int) -> None:
    try:
        os.mkdir(name, 0o755, dir_fd=folder)
    except FileExistsError:
        pass


def write_file(root: int, path: str, content: bytes) -> None:
    """Write a regular file below `root`; a link on the way, or in its place, is an OSError."""
    *parents, name = segments(path)
    folder = open_folder(root, parents, create=True)
    try:
        target = os.open(name, _CREATE, 0o644, dir_fd=folder)
    finally:
        os.close(folder)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(target, rest) :]
    finally:
        os.close(target)


def open_regular(root: int, path: str) -> tuple[int, os.stat_result]:
    """
    Returns: a descriptor of a regular file below `root`, and what it is.

    Raises:
        OSError: it is missing, or no regular file, or a link is on the way.
    """
    *parents, name = segments(path)
    folder = open_folder(root, parents)
    try:
        # Without O_NONBLOCK a named pipe would hold us for good.
        source = os.open(name, _READ, dir_fd=folder)
    finally:
        os.close(folder)
    status = os.fstat(source)
    if not stat.S_ISREG(status.st_mode):
        os.close(source)
        msg = f"{path!r} is no regular file"
        raise OSError(msg)
    return source, status


def read_bounded(source: int, limit: int) -> bytes:
    """Returns: at most `limit` bytes of what is there to read."""
    chunks = []
    while limit > 0:
        chunk = os.read(source, min(limit, _CHUNK))
        if not chunk:
            break
        chunks.append(chunk)
        limit -= len(chunk)
    return b"".join(chunks)
