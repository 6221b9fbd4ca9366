"""The files of a folder as they are sent: what git would ignore stays, and so does all that is not in the folder."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import attrs

from chef_supervisor.client.errors import Unfit
from chef_supervisor.client.ignoring import IGNORE_FILE, Rules, is_ignored, read_excludes, read_rules

# Whatever a .gitignore says: git's own affairs, and what is installed where the job runs.
NEVER_SENT: Final = frozenset({".git", "node_modules"})
# The service has bounds of its own, and lower ones; these keep a wrong folder from being read at all.
MOST_FILES: Final = 20_000
MOST_BYTES: Final = 256 << 20
MOST_LEVELS: Final = 100
_NAMED: Final = 5


@attrs.frozen(kw_only=True)
class Gathered:
    """Path -> content, and what was left out that somebody might miss, a sentence each."""

    files: Mapping[str, bytes] = attrs.field(repr=False)
    notes: tuple[str, ...] = ()


@attrs.define(eq=False)
class _Walk:
    """`root`: the folder; `sizes`: the files found in it; `links`: what else points at something."""

    root: Path
    # What stands before a path of the folder in one of its repository.
    base: str
    sizes: dict[str, int] = attrs.field(factory=dict)
    links: list[str] = attrs.field(factory=list)
    notes: list[str] = attrs.field(factory=list)

    def walk(self, folder: str, levels: list[Rules]) -> None:
        if folder.count("/") > MOST_LEVELS:
            raise Unfit(f"there are more than {MOST_LEVELS} folders in each other in {self.root}")
        levels = [*levels, read_rules(self.root / folder / IGNORE_FILE, self.base + folder)]
        with os.scandir(self.root / folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
        for entry in found:
            path, is_folder = folder + entry.name, entry.is_dir(follow_symlinks=False)
            if entry.name in NEVER_SENT or is_ignored(levels, self.base + path, folder=is_folder):
                continue
            if is_folder:
                self.walk(path + "/", levels)
            else:
                self._take(path, entry.stat(follow_symlinks=False))

    def _take(self, path: str, status: os.stat_result) -> None:
        if stat.S_ISREG(status.st_mode):
            self.sizes[path] = status.st_size
        elif stat.S_ISLNK(status.st_mode):
            self.links.append(path)
        else:
            self.notes.append(f"{path} is no file and was not sent")
        if len(self.sizes) > MOST_FILES:
            raise Unfit(f"there are more than {MOST_FILES:,} files in {self.root}; is it the project's own folder?")


def gather(folder: Path) -> Gathered:
    """
    Returns: the files below the folder, without those that git would ignore, `.git` and `node_modules`.

    A link is sent as the file that it points to, if that is sent itself; else it is left out, with a note.

    Raises:
        Unfit: there are too many or too large files, none at all, or one that cannot be read or named.
    """
    root = folder.resolve()
    try:
        repository = _repository(root)
        walk = _Walk(root, _base(repository, root))
        walk.walk("", _levels_above(repository, root))
        if sum(walk.sizes.values()) > MOST_BYTES:
            raise Unfit(f"the files of {folder} have more than {MOST_BYTES:,} bytes; {largest(walk.sizes)}")
        files = {path: (root / path).read_bytes() for path in walk.sizes}
    except OSError as error:
        raise Unfit(f"{error.filename or folder} cannot be read: {error.strerror}") from error
    _add_links(walk, files)
    _check(folder, files)
    return Gathered(files=files, notes=tuple(walk.notes))


def largest(sizes: Mapping[str, int]) -> str:
    """Returns: which files are the largest, as the end of a sentence."""
    named = sorted(sizes.items(), key=lambda item: item[1], reverse=True)[:_NAMED]
    listed = ", ".join(f"{path} ({size:,} bytes)" for path, size in named)
    return f"the largest are {listed}. Name what is not part of the project in {IGNORE_FILE}"


def _repository(root: Path) -> Path:
    return next((place for place in (root, *root.parents) if (place / ".git").exists()), root)


def _base(repository: Path, root: Path) -> str:
    return "" if root == repository else root.relative_to(repository).as_posix() + "/"


def _levels_above(repository: Path, root: Path) -> list[Rules]:
    above = [place for place in reversed(root.parents) if place.is_relative_to(repository)]
    return [
        read_excludes(repository),
        *(read_rules(place / IGNORE_FILE, _base(repository, place)) for place in above),
    ]


def _add_links(walk: _Walk, files: dict[str, bytes]) -> None:
    for path in walk.links:
        target = _within(walk.root, path)
        if target in walk.sizes:
            files[path] = files[target]
        else:
            walk.notes.append(f"{path} is a link to what is not sent, and was not sent either")


def _within(root: Path, path: str) -> str:
    try:
        target = (root / path).resolve(strict=True)
    except (OSError, RuntimeError):
        return ""
    return target.relative_to(root).as_posix() if target.is_relative_to(root) else ""


def _check(folder: Path, names: Mapping[str, bytes]) -> None:
    if not names:
        raise Unfit(f"there is no file to send in {folder}")
    for name in names:
        try:
            name.encode()
        except UnicodeEncodeError as error:
            raise Unfit(f"the name of {os.fsencode(name)!r} is not UTF-8; rename the file") from error
