"""Which names may leave the box: the same rule as `domain/files.check_path`, which a test holds this to."""

from __future__ import annotations

_MAX_PATH_BYTES, _MAX_SEGMENT_BYTES, _MAX_SEGMENTS = 512, 255, 16
RESERVED = ".chef"
_FORBIDDEN_CATEGORIES = {"Cc", "Cf", "Cs", "Co"}


def name_outside(path: str) -> str | None:
    """Returns: what the supervisor will call a file of that path, in NFC; None where it would not take it."""
    parts = path.split("/")
    if "\\" in path or path[1:2] == ":" or parts[0] == RESERVED or any(part in ("", ".", "..") for part in parts):
        return None
    if not path.isascii() or not path.isprintable():
        path = _normal(path)
        parts = path.split("/")
    return path if path and len(parts) <= _MAX_SEGMENTS and _short(path, parts) else None


def _normal(path: str) -> str:
    import unicodedata  # noqa: PLC0415  (only where a name needs it)

    if any(unicodedata.category(char) in _FORBIDDEN_CATEGORIES for char in path):
        return ""
    return unicodedata.normalize("NFC", path)


def _short(path: str, parts: list[str]) -> bool:
    return len(path.encode()) <= _MAX_PATH_BYTES and all(len(part.encode()) <= _MAX_SEGMENT_BYTES for part in parts)
