"""The files of the sample projects: those that lie in `samples/`, and some that are made, for they would be large."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).parent / "samples"
_MANY: Final = 2000
_LARGE_BYTES: Final = 5_000_000


def files_of(project: str) -> dict[str, bytes]:
    """Returns: path -> content."""
    root = _FOLDER / project
    found = {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    more = _MADE[project]() if project in _MADE else {}
    return found | more


def _png() -> bytes:
    """Returns: one transparent dot."""
    header = struct.pack(">IIBBBBB", 1, 1, 8, 6, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(5))), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _many_files() -> dict[str, bytes]:
    made = {
        f"shop/part{number // 100:02}/module{number:04}.py": b"VALUE = %d\n" % number for number in range(_MANY - 1)
    }
    return made | {"main.py": b"from shop.part00 import module0000\n"}


def _large() -> dict[str, bytes]:
    # Bytes that neither compress nor are text.
    noise = b"".join(zlib.crc32(b"%d" % number).to_bytes(4, "big") for number in range(_LARGE_BYTES // 4))
    return {"index.html": b"<!doctype html><video src=film.bin></video>\n", "film.bin": noise}


_MADE: Final[Mapping[str, Callable[[], dict[str, bytes]]]] = {
    "many-files": _many_files,
    "large": _large,
    "static-site": lambda: {"bilder/\u70b9.png": _png()},
}
