"""Which entries of an archive become files of the project: none that leads out of it, none beyond the limits."""

from __future__ import annotations

import unicodedata
from typing import NamedTuple

from ..names import name_outside
from .entries import BadArchive, shown

# What lies beside a project or is made anew here, at any depth.
_JUNK = frozenset({"node_modules", ".git", "__MACOSX", ".DS_Store"})
# One more than a path of the project: the folder that most archives have around it.
_MOST_PARTS = 17
_MOST_PART_BYTES = 255
_MOST_ENTRIES = 100_000
_NAMES_RULE = (
    "has a name that no file of a project may have: at most 512 bytes and 16 names, 255 bytes a name, without control"
    " and invisible characters, not below .chef/; rename it"
)


class Limits(NamedTuple):
    """Of the files that come out: how many, how large each, how large all of them."""

    max_files: int
    max_file_bytes: int
    max_total_bytes: int


class Rules:
    """Asked about one entry after the other; `paths` are the files that were taken, as the names of their folders."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._entries = 0
        self._left = limits.max_total_bytes
        self._taken: dict[str, str] = {}
        self._folders: dict[str, str] = {}
        self.paths: list[tuple[str, ...]] = []

    def parts_of(self, name: str) -> tuple[str, ...]:
        """
        Returns: the names of an entry's path; none for the top itself.

        Raises:
            BadArchive: it leads out of the project, or is none that could be written; or there are too many entries.
        """
        self._entries += 1
        if self._entries > _MOST_ENTRIES:
            msg = f"it has more than {_MOST_ENTRIES} entries; leave out node_modules/ and what builds leave behind"
            raise BadArchive(msg)
        _check_text(name)
        if name.startswith("/") or name[1:2] == ":":
            raise BadArchive(f"{shown(name)} is an absolute path; pack the project with relative ones")
        parts = tuple(part for part in name.split("/") if part not in ("", "."))
        if ".." in parts:
            raise BadArchive(f"{shown(name)} leads out of the project; pack it without ..")
        if len(parts) > _MOST_PARTS or any(len(part.encode()) > _MOST_PART_BYTES for part in parts):
            raise BadArchive(f"{shown(name)} {_NAMES_RULE}")
        return parts

    def admit(self, parts: tuple[str, ...], size: int) -> None:
        """
        Take a file.

        Raises:
            BadArchive: it is too large, one too many, or no disk could hold it beside the others.
        """
        name = "/".join(parts)
        self._check_size(name, size)
        if len(self.paths) >= self._limits.max_files:
            msg = f"it has more than {self._limits.max_files} files (files.max_files), the first one too many is"
            raise BadArchive(f"{msg} {shown(name)}; leave out what is not part of the project")
        self._check_place(name)
        self.paths.append(parts)

    def count(self, name: str, content_bytes: int) -> None:
        """
        Count what the file really held.

        Raises:
            BadArchive: it is too large, alone or with the others.
        """
        self._check_size(name, content_bytes)
        self._left -= content_bytes
        if self._left < 0:
            most = self._limits.max_total_bytes
            raise BadArchive(
                f"its files have more than {most} bytes in all (files.max_total_bytes), from {shown(name)} on"
            )

    def _check_size(self, name: str, size: int) -> None:
        if size > self._limits.max_file_bytes:
            raise BadArchive(f"{shown(name)} has more than {self._limits.max_file_bytes} bytes (files.max_file_bytes)")

    def _check_place(self, name: str) -> None:
        folded = _folded(name)
        if folded in self._taken:
            other = self._taken[folded]
            msg = "is there twice" if other == name else f"and {shown(other)} differ only in case or in Unicode form"
            raise BadArchive(f"{shown(name)} {msg}; pack it once")
        if folded in self._folders:
            raise BadArchive(f"{shown(name)} is both a file and a folder")
        self._taken[folded] = name
        parent, slash, _ = folded.rpartition("/")
        while slash:
            if parent in self._taken:
                raise BadArchive(f"{shown(self._taken[parent])} is both a file and a folder")
            self._folders[parent] = name
            parent, slash, _ = parent.rpartition("/")

    def top(self) -> tuple[str, ...]:
        """
        Returns: the one folder that all files lie in, which is none of the project's; empty where there is no such.

        Raises:
            BadArchive: there is no file, or one whose name the project cannot have.
        """
        if not self.paths:
            msg = "there is no file in it"
            raise BadArchive(msg)
        tops = {parts[:1] for parts in self.paths}
        around = len(tops) == 1 and all(len(parts) > 1 and not parts[0].startswith(".") for parts in self.paths)
        top = tops.pop() if around else ()
        for parts in self.paths:
            if name_outside("/".join(parts[len(top) :])) is None:
                raise BadArchive(f"{shown('/'.join(parts))} {_NAMES_RULE}")
        return top


def junk_in(parts: tuple[str, ...]) -> str | None:
    """Returns: the name in the path that keeps it from being part of a project."""
    return next((part for part in parts if part in _JUNK), None)


def _check_text(name: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError:
        raise BadArchive(f"the name {shown(name)} is not UTF-8; rename the file, or pack it with UTF-8 names") from None
    if "\\" in name or "\0" in name:
        raise BadArchive(f"{shown(name)} has a \\ or NUL in its name; pack it with a tool that writes / between names")


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
