"""Reports and artifacts, read when every process of the project is dead: nothing changes under our hands."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

from . import beneath
from .channel import Channel
from .frames import ARTIFACT, DATA, MAX_DATA_CHUNK, REPORT, pack_named
from .globs import start_of, translate
from .names import RESERVED, name_outside
from .order import Order

_MAX_ENTRIES = 200_000
_MAX_DEPTH = 16


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
    """Finds and sends the files that the globs match; `left_out` counts the ones it may not send."""

    def __init__(self, channel: Channel, root: int, order: Order) -> None:
        self._channel = channel
        self._root = root
        self._globs = order.artifact_globs
        self._left = order.max_artifacts
        self._bytes_left = order.artifact_bytes
        self._entries_left = _MAX_ENTRIES
        # Two names on the disk may be one outside: in NFC, é is é however it was written.
        self._taken: set[str] = set()
        self.left_out = 0

    def send(self) -> None:
        """Send each file, in the order of the globs and then of the names."""
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
        name = name_outside(path)
        if self._left <= 0 or name is None or name in self._taken or not self._send_file(path, name):
            self.left_out += 1
            return
        self._left -= 1
        self._taken.add(name)

    def _send_file(self, path: str, name: str) -> bool:
        """Returns: whether it was sent: a regular file of one name that is small enough."""
        try:
            source, status = beneath.open_regular(self._root, path)
        except (OSError, beneath.Escapes):
            return False
        try:
            # A second name may belong to a file that is no output of the project.
            if status.st_nlink != 1 or status.st_size > self._bytes_left:
                return False
            self._bytes_left -= status.st_size
            self._channel.send(ARTIFACT, json.dumps({"path": name, "bytes": status.st_size}).encode())
            self._send_content(source, status.st_size)
            return True
        finally:
            os.close(source)

    def _send_content(self, source: int, left: int) -> None:
        while left:
            # Nobody is left to cut the file; should the disk fail, zeros keep the promise of its size.
            chunk = os.read(source, min(left, MAX_DATA_CHUNK)) or bytes(min(left, MAX_DATA_CHUNK))
            self._channel.send(DATA, chunk)
            left -= len(chunk)
