"""By which media type a file is served: a table of our own, because the machine's differs from machine to machine."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Final

_TEXT: Final = "text/plain; charset=utf-8"
_UNKNOWN: Final = "application/octet-stream"
_BY_SUFFIX: Final = {
    ".avif": "image/avif",
    ".bmp": "image/bmp",
    ".cjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".gif": "image/gif",
    ".glb": "model/gltf-binary",
    ".gz": "application/gzip",
    ".htm": "text/html; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".lock": _TEXT,
    ".log": _TEXT,
    ".m4a": "audio/mp4",
    ".map": "application/json",
    ".md": _TEXT,
    ".mjs": "text/javascript; charset=utf-8",
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
    ".oga": "audio/ogg",
    ".ogg": "audio/ogg",
    ".ogv": "video/ogg",
    ".otf": "font/otf",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".toml": _TEXT,
    ".ttf": "font/ttf",
    ".txt": _TEXT,
    ".wasm": "application/wasm",
    ".wav": "audio/wav",
    ".webm": "video/webm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".whl": "application/zip",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".xml": "text/xml; charset=utf-8",
    ".yaml": _TEXT,
    ".yml": _TEXT,
    ".zip": "application/zip",
}


def content_type(path: str) -> str:
    """Returns: the type by the end of the name; bytes of no meaning where it is not in the table."""
    return _BY_SUFFIX.get(PurePosixPath(path).suffix.lower(), _UNKNOWN)
