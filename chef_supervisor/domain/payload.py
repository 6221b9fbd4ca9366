"""An assignment as the bytes that wait in Redis, and back. JSON, because text is what nearly all of it is."""

from __future__ import annotations

import base64
from typing import Any, Final

import orjson

from chef_supervisor.domain.assignment import Assignment, OwnStep
from chef_supervisor.domain.files import ProjectFiles

_CACHED: Final = b',"cache":true}'


def pack(assignment: Assignment) -> bytes:
    """Returns: `{"text": {path: text}, "binary": {path: base64}, ...}`; what says nothing is left out."""
    text, binary = _split(assignment.files)
    wishes = {
        "archive": _encoded(assignment.archive),
        "deleted": list(assignment.deleted),
        "toolchain": assignment.toolchain,
        "steps": [{"name": step.name, "run": step.run} for step in assignment.steps],
        "artifacts": list(assignment.artifacts),
        "env": dict(assignment.env),
        "secrets": _encoded(assignment.secrets),
        "cache": assignment.cache,
    }
    return orjson.dumps({"text": text, "binary": binary} | {key: wish for key, wish in wishes.items() if wish})


def unpack(payload: bytes) -> Assignment:
    """Returns: the assignment that `pack` was given."""
    packed = orjson.loads(payload)
    files = {path: text.encode() for path, text in packed["text"].items()}
    return Assignment(
        files=files | {path: base64.b64decode(content) for path, content in packed["binary"].items()},
        archive=base64.b64decode(packed.get("archive", "")),
        deleted=tuple(packed.get("deleted", ())),
        toolchain=packed.get("toolchain"),
        steps=tuple(map(_own_step, packed.get("steps", ()))),
        artifacts=tuple(packed.get("artifacts", ())),
        env=packed.get("env", {}),
        secrets=base64.b64decode(packed.get("secrets", "")),
        cache=packed.get("cache", False),
    )


def without_cache(payload: bytes) -> bytes:
    """Returns: the payload of the same work, to be done whatever is remembered."""
    # Read whole, a large one would hold up the event loop. `pack` says this last, and what stands there is no file's.
    return payload.removesuffix(_CACHED) + b"}" if payload.endswith(_CACHED) else payload


def _own_step(packed: dict[str, Any]) -> OwnStep:
    run = packed["run"]
    return OwnStep(name=packed["name"], run=run if isinstance(run, str) else tuple(run))


def _split(files: ProjectFiles) -> tuple[dict[str, str], dict[str, str]]:
    text: dict[str, str] = {}
    binary: dict[str, str] = {}
    for path, content in files.items():
        try:
            text[path] = content.decode()
        except UnicodeDecodeError:
            binary[path] = _encoded(content)
    return text, binary


def _encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()
