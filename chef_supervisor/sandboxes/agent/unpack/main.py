"""From the archive to the project's files at the top of the workspace, and a report of how it went."""

from __future__ import annotations

import io
import json
import os
import resource
from collections import Counter
from collections.abc import Iterator

from .. import beneath
from ..names import RESERVED
from . import tars, zips
from .entries import DEVICE, FILE, FOLDER, LINK, BadArchive, Entry, shown
from .places import ARCHIVE, REPORT
from .rules import Limits, Rules, junk_in

_STAGE = f"{RESERVED}/unpacked"
_GZIP, _ZIP = b"\x1f\x8b", b"PK"
# Headers may ask for any amount of memory; the box would end without a word.
_MOST_MEMORY = 256 << 20


def main(workspace: str, limits: Limits) -> int:
    """Returns: 0 where the files are at the top of the workspace; 1 where the archive is bad, as the report says."""
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    fault: str | None = None
    files, warnings = 0, list[str]()
    try:
        files, warnings = unpack(workspace, limits)
    except BadArchive as error:
        fault = str(error)
    except (MemoryError, RecursionError):
        fault = "its headers ask for more memory than a reader may use; pack it again"
    report = {"fault": fault, "files": files, "warnings": warnings}
    with open(os.path.join(workspace, REPORT), "w") as file:
        json.dump(report, file)
    return 0 if fault is None else 1


def unpack(workspace: str, limits: Limits) -> tuple[int, list[str]]:
    """
    Returns: how many files there are, and what was left out.

    Raises:
        BadArchive: nothing of it is at the top of the workspace.
    """
    stage = os.path.join(workspace, _STAGE)
    os.mkdir(stage)
    root = os.open(stage, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        unpacking = Unpacking(root, limits)
        with open(os.path.join(workspace, ARCHIVE), "rb") as source:
            for entry in _entries(source):
                unpacking.take(entry)
    finally:
        os.close(root)
    _move(os.path.join(stage, *unpacking.rules.top()), workspace)
    return len(unpacking.rules.paths), unpacking.warnings()


def _entries(source: io.BufferedReader) -> Iterator[Entry]:
    magic = source.read(len(_ZIP))
    source.seek(0)
    if magic == _ZIP:
        return zips.entries(source)
    return tars.entries(source, compressed=magic == _GZIP)


def _move(source: str, target: str) -> None:
    for name in os.listdir(source):
        os.rename(os.path.join(source, name), os.path.join(target, name))


class Unpacking:
    """Takes entries and writes the files among them below `root`."""

    def __init__(self, root: int, limits: Limits) -> None:
        self._root = root
        self._most_bytes = limits.max_file_bytes
        self.rules = Rules(limits)
        self._junk: Counter[str] = Counter()
        self._links: list[str] = []

    def take(self, entry: Entry) -> None:
        """
        Take the next entry.

        Raises:
            BadArchive: it cannot be part of a project.
        """
        parts = self.rules.parts_of(entry.name)
        junk = junk_in(parts)
        if junk is not None:
            self._junk[junk] += entry.kind == FILE
        elif entry.kind == DEVICE:
            raise BadArchive(f"{shown(entry.name)} is no file, folder or link, but a device or pipe; leave it out")
        elif entry.kind == LINK:
            self._links.append(entry.name)
        elif entry.kind != FOLDER and parts:
            self._write(parts, entry)

    def _write(self, parts: tuple[str, ...], entry: Entry) -> None:
        name = "/".join(parts)
        self.rules.admit(parts, entry.size)
        content = entry.read(self._most_bytes + 1)
        self.rules.count(name, len(content))
        beneath.write_file(self._root, name, content)

    def warnings(self) -> list[str]:
        """Returns: a sentence for each kind of thing that was left out."""
        told = [
            f"{count} {'file' if count == 1 else 'files'} of the archive left out: {name} is no part of a project"
            for name, count in sorted(self._junk.items())
            if count
        ]
        if self._links:
            number = len(self._links)
            such = (
                f"{number} links, such as {shown(self._links[0])}"
                if number > 1
                else f"the link {shown(self._links[0])}"
            )
            told.append(f"left out of the archive: {such}; only files are taken")
        return told
