"""The files of a job as the bytes that wait in Redis, and back. JSON, because text is what nearly all of it is."""

from __future__ import annotations

import base64

import orjson

from chef_supervisor.domain.files import ProjectFiles


def pack(files: ProjectFiles) -> bytes:
    """Returns: `{"text": {path: text}, "binary": {path: base64}}`; what is not UTF-8 is binary."""
    text: dict[str, str] = {}
    binary: dict[str, str] = {}
    for path, content in files.items():
        try:
            text[path] = content.decode()
        except UnicodeDecodeError:
            binary[path] = base64.b64encode(content).decode()
    return orjson.dumps({"text": text, "binary": binary})


def unpack(payload: bytes) -> ProjectFiles:
    """Returns: the files that `pack` was given."""
    packed = orjson.loads(payload)
    files = {path: text.encode() for path, text in packed["text"].items()}
    return files | {path: base64.b64decode(content) for path, content in packed["binary"].items()}
