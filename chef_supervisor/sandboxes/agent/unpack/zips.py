"""Zip archives. What their directory claims of sizes is not believed: what comes out is counted."""

from __future__ import annotations

import io
import lzma
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator

from .entries import DEVICE, FILE, FOLDER, LINK, BadArchive, Entry, shown

_ENCRYPTED, _UTF8 = 0x1, 0x800
_MODE_SHIFT = 16
# OSError: of bz2. RuntimeError: a compression that this Python lacks.
_BROKEN = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError, OverflowError, struct.error),
    *(NotImplementedError, RuntimeError),
)


def entries(source: io.BufferedReader) -> Iterator[Entry]:
    """
    Yields: each entry, in the order of the archive's directory.

    Raises:
        BadArchive: it is broken, or an entry is encrypted.
    """
    try:
        archive = zipfile.ZipFile(source)
    except _BROKEN as error:
        raise BadArchive(f"it is broken or ends early ({error}); pack it again") from error
    for info in archive.infolist():
        name = _name(info)
        if info.flag_bits & _ENCRYPTED:
            raise BadArchive(f"{shown(name)} is encrypted; pack it without a password")
        yield Entry(_kind(info, name), name, info.file_size, _Reader(archive, info, name))


def _name(info: zipfile.ZipInfo) -> str:
    """Returns: the name as it was meant. Many tools write UTF-8 without saying so, which is then read as code page 437."""
    name = info.orig_filename
    if info.flag_bits & _UTF8:
        return name
    try:
        return name.encode("cp437").decode()
    except UnicodeError:
        raise BadArchive(f"the name {shown(name)} is not UTF-8; rename the file, or pack it with UTF-8 names") from None


def _kind(info: zipfile.ZipInfo, name: str) -> str:
    mode = stat.S_IFMT(info.external_attr >> _MODE_SHIFT)
    if stat.S_ISLNK(mode):
        return LINK
    if name.endswith("/") or stat.S_ISDIR(mode):
        return FOLDER
    return FILE if mode in (0, stat.S_IFREG) else DEVICE


class _Reader:
    """Reads one file; broken data names it."""

    def __init__(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> None:
        self._archive = archive
        self._info = info
        self._name = name

    def __call__(self, size: int) -> bytes:
        try:
            with self._archive.open(self._info) as content:
                return content.read(size)
        except _BROKEN as error:
            raise BadArchive(f"{shown(self._name)} cannot be read ({error}); pack it again") from error
