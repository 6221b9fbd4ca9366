"""Reports and artifacts, read when every process of the project is dead: nothing changes under our hands."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator

from . import beneath
from .channel import Channel
from .frames import ARTIFACT, REPORT, pack_named
from .globs import start_of, translate
from .names import RESERVED, name_outside
from .order import Order

_MAX_ENTRIES = 200_000
_MAX_DEPTH = 16
# All artifacts together; a sparse file of a terabyte is read no further.
_MAX_ARTIFACT_BYTES = 1 << 30
_CHUNK = 1 << 18


def send_reports(channel: Channel, root: int, order: Order) -> None:
    """Send each report file that is there, cut at the order's bound."""
    for path in order.reports:
        try:
            source, _ = beneath.open_regular(root, path)
        except (OSError, beneath.Escapes):
            continue
        try:
            channel.send(REPORT, pack_named(path, beneath.read_bounded(source, order.report_bytes)))
        finally:
            os.close(source)


class Artifacts:
    """Finds, digests and sends the files that the globs match; `left_out` counts the ones it may not send."""

    def __init__(self, channel: Channel, root: int, order: Order) -> None:
        self._channel = channel
        self._root = root
        self._globs = order.artifact_globs
        self._left = order.max_artifacts
        self._bytes_left = _MAX_ARTIFACT_BYTES
        self._entries_left = _MAX_ENTRIES
        # Two names on the disk may be one outside: in NFC, é is é however it was written.
        self._taken: set[str] = set()
        self.left_out = 0

    def send(self) -> None:
        """Send one frame for each file, in the order of the globs and then of the names."""
        seen: set[str] = set()
        for pattern in self._globs:
            matches = translate(pattern).fullmatch
            for path in self._walk(start_of(pattern)):
                if path not in seen and matches(path):
                    seen.add(path)
                    self._send_one(path)

    def _walk(self, start: list[str]) -> Iterator[str]:
        waiting = [start]
        while waiting and self._entries_left > 0:
            names = waiting.pop()
            folders, files = self._list(names)
            yield from ("/".join([*names, name]) for name in files)
            if len(names) < _MAX_DEPTH:
                waiting.extend([*names, name] for name in reversed(folders))

    def _list(self, names: list[str]) -> tuple[list[str], list[str]]:
        """Returns: the names of the folders and of the regular files in a folder, both sorted; links are neither."""
        folders: list[str] = []
        files: list[str] = []
        try:
            folder = beneath.open_folder(self._root, names)
        except OSError:
            return folders, files
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    self._entries_left -= 1
                    if self._entries_left < 0:
                        break
                    if not names and entry.name == RESERVED:
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.name)
                    elif entry.is_file(follow_symlinks=False):
                        files.append(entry.name)
        finally:
            os.close(folder)
        return sorted(folders), sorted(files)

    def _send_one(self, path: str) -> None:
        name = name_outside(path) if self._left > 0 else None
        found = self._digest(path) if name is not None and name not in self._taken else None
        if name is None or found is None:
            self.left_out += 1
            return
        self._left -= 1
        self._taken.add(name)
        size, digest = found
        self._channel.send(ARTIFACT, json.dumps({"path": name, "bytes": size, "sha256": digest}).encode())

    def _digest(self, path: str) -> tuple[int, str] | None:
        try:
            source, status = beneath.open_regular(self._root, path)
        except (OSError, beneath.Escapes):
            return None
        try:
            # A second name may belong to a file that is no output of the project.
            return self._read_through(source) if status.st_nlink == 1 else None
        finally:
            os.close(source)

    def _read_through(self, source: int) -> tuple[int, str] | None:
        digest, size = hashlib.sha256(), 0
        while chunk := os.read(source, _CHUNK):
            digest.update(chunk)
            size += len(chunk)
            if size > self._bytes_left:
                return None
        self._bytes_left -= size
        return size, digest.hexdigest()
