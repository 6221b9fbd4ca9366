"""
The store on the disk: one folder for each entry, beside it what is known of it, and the secret that makes the keys.

    <root>                  0711: who does not know a name finds nothing
    <root>/<key>/           an entry; nobody may write below it
    <root>/.index/<key>     0700: {bytes, made_s, expires_s, notes}; its time of change is that of the last use
    <root>/.secret          0600
    <root>/.incoming-*      copies under way; .outgoing-*: removals under way
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .copying import Copying
from .removing import remove_tree

_KEY = re.compile(r"[0-9a-f]{40}")
_UNDER_WAY = re.compile(r"\.(incoming|outgoing)-[0-9a-f]{32}")
# No copy takes so long: what is older was left by a keeper that was killed.
_ABANDONED_S = 3600
_SECRET_BYTES = 32
_MOST_NOTE_BYTES = 16_384


class Store:
    """Safe to be used by several keepers at a time: what changes more than one name is done under a lock."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._index = os.path.join(root, ".index")

    @classmethod
    def open(cls, root: str) -> Store:
        """
        Returns: the store, made where it is new; what was left half done an hour ago is gone.

        Raises:
            OSError: the disk.
        """
        store = cls(root)
        os.umask(0o022)
        os.makedirs(root, exist_ok=True)
        # Before anything is in it.
        os.chmod(root, 0o711)  # noqa: S103  (who passes needs a name that nobody can guess)
        os.makedirs(store._index, mode=0o700, exist_ok=True)
        store._remove_abandoned()
        return store

    def told(self) -> dict[str, Any]:
        """Returns: all that the supervisor is told of it."""
        return {"secret": self._secret().hex(), "now_s": time.time(), "stored": dict(self._stored())}

    def note_use(self, used: dict[str, float]) -> None:
        """Remember when entries were used; one that is not there, or was used later, is left as it is."""
        for key, used_s in used.items():
            path = self._note(key)
            try:
                if os.stat(path).st_mtime < used_s:
                    os.utime(path, (used_s, used_s))
            except FileNotFoundError:
                continue

    def put(self, key: str, source: int, copying: Copying, *, lifetime_s: float | None, notes: list[str]) -> None:
        """
        Copy a folder here under that key, unless the key is there already.

        Raises:
            Refused: it may not be kept; nothing of it stays.
            OSError: the disk; nothing of it stays, as far as that can be.
        """
        if self._holds(key):
            return
        incoming = os.path.join(self._root, f".incoming-{os.urandom(16).hex()}")
        os.mkdir(incoming, 0o700)
        try:
            self._fill(incoming, source, copying)
            with self._locked():
                if not self._holds(key):
                    self._write_note(key, copying.bytes, lifetime_s, notes)
                    self._set_aside(key)
                    os.rename(incoming, self._entry(key))
        finally:
            if os.path.lexists(incoming):
                remove_tree(incoming)

    def drop(self, key: str) -> None:
        """
        Remove an entry; at once for whoever looks for it, however long that takes.

        Raises:
            OSError: the disk.
        """
        with self._locked():
            outgoing = self._set_aside(key)
            _unlink(self._note(key))
        if outgoing is not None:
            remove_tree(outgoing)

    def _fill(self, incoming: str, source: int, copying: Copying) -> None:
        target = os.open(incoming, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            copying.copy(source, target)
        finally:
            os.close(target)

    def _set_aside(self, key: str) -> str | None:
        """Returns: where the entry is now, under a name that nobody knows; None where there was none."""
        outgoing = os.path.join(self._root, f".outgoing-{os.urandom(16).hex()}")
        try:
            os.rename(self._entry(key), outgoing)
        except FileNotFoundError:
            return None
        return outgoing

    def _holds(self, key: str) -> bool:
        return os.path.isdir(self._entry(key)) and self._read_note(key) is not None

    def _stored(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for key in filter(_KEY.fullmatch, os.listdir(self._index)):
            note = self._read_note(key)
            if note is not None and os.path.isdir(self._entry(key)):
                yield key, note

    def _read_note(self, key: str) -> dict[str, Any] | None:
        """Returns: what is known of the entry; None where it was dropped meanwhile, or a crash cut the note short."""
        try:
            used_s = os.stat(self._note(key)).st_mtime
            with open(self._note(key), encoding="utf-8") as file:
                return {**json.load(file), "used_s": used_s}
        except (FileNotFoundError, ValueError):
            return None

    def _write_note(self, key: str, size: int, lifetime_s: float | None, notes: list[str]) -> None:
        now_s = time.time()
        expires_s = None if lifetime_s is None else now_s + lifetime_s
        note = {"bytes": size, "made_s": now_s, "expires_s": expires_s, "notes": notes}
        content = json.dumps(note)
        if len(content) > _MOST_NOTE_BYTES:
            content = json.dumps({**note, "notes": []})
        with open(self._note(key), "w", encoding="utf-8") as file:
            file.write(content)

    def _secret(self) -> bytes:
        path = os.path.join(self._root, ".secret")
        with self._locked():
            try:
                with open(path, "rb") as file:
                    known = file.read()
            except FileNotFoundError:
                known = b""
            if len(known) == _SECRET_BYTES:
                return known
            made = os.urandom(_SECRET_BYTES)
            _unlink(path)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with open(descriptor, "wb") as file:
                file.write(made)
                file.flush()
                os.fsync(descriptor)
            return made

    def _remove_abandoned(self) -> None:
        for name in os.listdir(self._root):
            path = os.path.join(self._root, name)
            try:
                if _UNDER_WAY.fullmatch(name) and os.lstat(path).st_ctime < time.time() - _ABANDONED_S:
                    remove_tree(path)
            except FileNotFoundError:
                # Another keeper is at it.
                continue

    def _entry(self, key: str) -> str:
        if not _KEY.fullmatch(key):
            raise ValueError(key)
        return os.path.join(self._root, key)

    def _note(self, key: str) -> str:
        return os.path.join(self._index, os.path.basename(self._entry(key)))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        descriptor = os.open(os.path.join(self._root, ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
