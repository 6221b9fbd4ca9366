"""
What the keeper is asked and answers.

request
    {do: "look", used}
    {do: "put", key, max_bytes, max_files, lifetime_s, notes, used}   copies `<staging>/<key>`
    {do: "drop", keys, used}
answer
    {secret, now_s, stored: {key: {bytes, made_s, used_s, expires_s, notes}}, refused: null or why `put` did not}
    {failed: what the system said}
"""

from __future__ import annotations

import os
from typing import Any

from .copying import Copying, Refused
from .store import Store


def serve(request: dict[str, Any], root: str, staging: str | None) -> dict[str, Any]:
    """Returns: the answer; what the disk refuses is one too."""
    try:
        store = Store.open(root)
        store.note_use(request["used"])
        refused = None
        if request["do"] == "put":
            assert staging is not None  # noqa: S101  (a bug)
            refused = _put(store, request, staging)
        elif request["do"] == "drop":
            for key in request["keys"]:
                store.drop(key)
        return {"refused": refused, **store.told()}
    except OSError as error:
        return {"failed": error.strerror or str(error)}


def _put(store: Store, request: dict[str, Any], staging: str) -> str | None:
    copying = Copying(request["max_bytes"], request["max_files"])
    try:
        source = os.open(os.path.join(staging, request["key"]), os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return "the install left no folder"
    try:
        store.put(request["key"], source, copying, lifetime_s=request["lifetime_s"], notes=request["notes"])
    except Refused as refusal:
        return str(refusal)
    finally:
        os.close(source)
    return None
