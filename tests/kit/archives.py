"""Archives for tests, good ones and such as nobody packs by accident."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import warnings
import zipfile
from collections.abc import Iterable
from typing import Any, Final

FIFO: Final = tarfile.FIFOTYPE
LINK: Final = tarfile.SYMTYPE
HARD_LINK: Final = tarfile.LNKTYPE
DEVICE: Final = tarfile.CHRTYPE
FOLDER: Final = tarfile.DIRTYPE
_S_IFLNK: Final = 0o120777
_ENCRYPTED: Final = 0x1


def tar(files: dict[str, bytes], *others: tarfile.TarInfo, compress: bool = True) -> bytes:
    """Returns: a tar of these files, and of entries that are none behind them."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", encoding="utf-8", errors="surrogateescape") as archive:
        for name, content in files.items():
            archive.addfile(entry(name, size=len(content)), io.BytesIO(content))
        for other in others:
            archive.addfile(other)
    return gzip.compress(buffer.getvalue(), 1) if compress else buffer.getvalue()


def entry(name: str, **fields: Any) -> tarfile.TarInfo:
    """Returns: a header; what it claims need not be true."""
    header = tarfile.TarInfo(name)
    for field, value in fields.items():
        setattr(header, field, value)
    return header


def twice(name: str) -> bytes:
    """Returns: a tar with two files of that name."""
    return gzip.compress(_blocks([(name, b"1"), (name, b"2")]))


def _blocks(files: Iterable[tuple[str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files:
            archive.addfile(entry(name, size=len(content)), io.BytesIO(content))
    return buffer.getvalue()


def claiming(name: str, size: int, *, zeros: int) -> bytes:
    """Returns: a tar whose one file claims a size and has so many zeros."""
    return gzip.compress(entry(name, size=size).tobuf(tarfile.GNU_FORMAT) + bytes(zeros), 1)


def bomb(name: str, size: int) -> bytes:
    """Returns: a small tar.gz of one file of so many zeros; made piece by piece, for it may be large."""
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=9) as stream:
        stream.write(entry(name, size=size).tobuf(tarfile.GNU_FORMAT))
        for _ in range(size >> 20):
            stream.write(bytes(1 << 20))
        stream.write(bytes(1024))
    return buffer.getvalue()


def sparse(name: str, size: int) -> bytes:
    """Returns: a tar of a file that is said to be that large and has one byte."""
    pax = {"GNU.sparse.map": f"{size - 1},1", "GNU.sparse.size": str(size), "GNU.sparse.numblocks": "1"}
    header = entry(name, size=1, pax_headers=pax)
    blocks = header.tobuf(tarfile.PAX_FORMAT)
    return gzip.compress(blocks + b"x" + bytes(511) + bytes(1024))


def endless_header(size: int) -> bytes:
    """Returns: a tar whose first header says that a name of so many bytes follows."""
    header = entry("././@LongLink", type=tarfile.GNUTYPE_LONGNAME, size=size).tobuf(tarfile.GNU_FORMAT)
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb") as stream:
        stream.write(header)
        for _ in range(size >> 20):
            stream.write(b"a" * (1 << 20))
    return buffer.getvalue()


def nested_headers(depth: int) -> bytes:
    """Returns: a tar of so many long names of long names."""
    header = entry("././@LongLink", type=tarfile.GNUTYPE_LONGNAME, size=2).tobuf(tarfile.GNU_FORMAT)
    return gzip.compress((header + b"a\0" + bytes(510)) * depth)


def zipped(files: dict[str, bytes], **fields: Any) -> bytes:
    """Returns: a zip of these files; `fields` are set on each of their headers."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            for field, value in fields.items():
                setattr(info, field, value)
            archive.writestr(info, content)
    return buffer.getvalue()


def zip_of_two(name: str) -> bytes:
    """Returns: a zip with two files of that name."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr(name, "1")
            archive.writestr(name, "2")
    return buffer.getvalue()


def zip_link(name: str, target: str) -> bytes:
    """Returns: a zip of a symbolic link and a file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = zipfile.ZipInfo(name)
        info.create_system, info.external_attr = 3, _S_IFLNK << 16
        archive.writestr(info, target)
        archive.writestr("a.txt", "a")
    return buffer.getvalue()


def encrypted(name: str) -> bytes:
    """Returns: a zip that says its one file is encrypted."""
    whole = bytearray(zipped({name: b"x"}))
    for magic, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = whole.index(magic) + at
        flags = struct.unpack_from("<H", whole, start)[0] | _ENCRYPTED
        struct.pack_into("<H", whole, start, flags)
    return bytes(whole)


def raw_zip_name(name: bytes) -> bytes:
    """Returns: a zip whose one file has these bytes for a name, and does not say what they mean."""
    placeholder = b"n" * len(name)
    return zipped({placeholder.decode(): b"x"}).replace(placeholder, name)


def overlapping(copies: int, size: int) -> bytes:
    """Returns: a zip whose directory names the same compressed zeros again and again (D. Fifield, 2019, in short)."""
    one = zipped({"f00000": bytes(size)})
    directory_at = one.index(b"PK\x01\x02")
    end_at = one.index(b"PK\x05\x06")
    record = one[directory_at:end_at]
    records = b"".join(record.replace(b"f00000", b"f%05d" % number) for number in range(copies))
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, copies, copies, len(records), directory_at, 0)
    return one[:directory_at] + records + end
