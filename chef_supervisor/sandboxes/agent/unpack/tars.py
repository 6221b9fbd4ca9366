"""Tar archives, read as a stream: nothing in them is sought, and nothing is extracted by the library."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import zlib
from collections.abc import Iterator
from typing import IO, cast

from .entries import DEVICE, FILE, FOLDER, LINK, BadArchive, Entry, shown

# What comes out of the compression, headers and what is left out included; a small archive can hold terabytes of zeros.
_MOST_BYTES = 1 << 29
_BROKEN = (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError, OverflowError, struct.error)
# tarfile takes a broken header behind the first one for the end: half a project would pass for a whole one.
_ENDS = ("EOFHeaderError", "EmptyHeaderError")


class _Header(tarfile.TarInfo):
    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> _Header:
        try:
            return super().fromtarfile(archive)
        except tarfile.HeaderError as error:
            if type(error).__name__ in _ENDS:
                raise
            raise _broken(error) from error


class _Bounded:
    """A stream that gives only so much."""

    def __init__(self, source: io.BufferedReader | gzip.GzipFile) -> None:
        self._source = source
        self._left = _MOST_BYTES

    def read(self, size: int) -> bytes:
        """Returns: the next bytes."""
        chunk = self._source.read(size)
        self._left -= len(chunk)
        if self._left < 0:
            msg = f"it unpacks to more than {_MOST_BYTES} bytes; leave out node_modules/ and what builds leave behind"
            raise BadArchive(msg)
        return chunk


def entries(source: io.BufferedReader, *, compressed: bool) -> Iterator[Entry]:
    """
    Yields: each entry; its content is to be read before the next one is asked for.

    Raises:
        BadArchive: it is broken, or unpacks to more than anybody sends.
    """
    stream = cast("IO[bytes]", _Bounded(gzip.GzipFile(fileobj=source) if compressed else source))
    try:
        with tarfile.open(
            fileobj=stream, mode="r|", tarinfo=_Header, encoding="utf-8", errors="surrogateescape"
        ) as archive:
            while (header := archive.next()) is not None:
                # It would keep all of them.
                archive.members.clear()  # type: ignore[attr-defined]
                yield Entry(_kind(header), header.name, header.size, _Reader(archive, header))
    except _BROKEN as error:
        raise _broken(error) from error


def _kind(header: tarfile.TarInfo) -> str:
    if header.isreg():
        return FILE
    if header.isdir():
        return FOLDER
    return LINK if header.issym() or header.islnk() else DEVICE


class _Reader:
    """Reads one file; broken data names it."""

    def __init__(self, archive: tarfile.TarFile, header: tarfile.TarInfo) -> None:
        self._archive = archive
        self._header = header

    def __call__(self, size: int) -> bytes:
        try:
            content = self._archive.extractfile(self._header)
            return content.read(size) if content is not None else b""
        except _BROKEN as error:
            msg = f"{shown(self._header.name)} cannot be read ({error}); pack it again"
            raise BadArchive(msg) from error


def _broken(error: Exception) -> BadArchive:
    return BadArchive(f"it is broken or ends early ({error}); pack it again")
