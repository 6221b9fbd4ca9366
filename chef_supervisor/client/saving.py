"""
Writes files below a folder under names that somebody else chose: never outside it, and never through a link.

A name is looked at first; then every folder on its way is opened in its parent without following links, so that what
changes meanwhile cannot lead astray either.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from chef_supervisor.client.answers import Artifact
from chef_supervisor.client.errors import NotSaved

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_GIT: Final = ".git"


def checked_names(path: str) -> tuple[str, ...]:
    r"""
    Returns: the names that the path is made of.

    Raises:
        NotSaved: it is not relative, has `..`, `.`, an empty name or `\` in it, or characters that nobody sees.
    """
    names = tuple(path.split("/"))
    if any(name in {"", ".", ".."} or "\\" in name for name in names):
        raise NotSaved(path, "its path leads astray")
    if any(unicodedata.category(letter) in {"Cc", "Cf", "Cs"} for letter in path):
        raise NotSaved(path, "its path has characters that cannot be shown")
    return names


@contextmanager
def saving(folder: Path, artifact: Artifact) -> Iterator[BinaryIO]:
    """
    Write into the file given; it stands in its place when all of it was written and is what was told.

    Raises:
        NotSaved: the path leads astray or into `.git`, the bytes are others than those that were told, or the disk said no.
    """
    *above, name = checked_names(artifact.path)
    if any(one.casefold() == _GIT for one in (*above, name)):
        # What stands there is run by the next `git status` of whoever looks at the folder.
        raise NotSaved(artifact.path, "its path leads into a repository of git")
    try:
        with _opened(folder, above) as place:
            hidden = f".{secrets.token_hex(8)}.part"
            try:
                with os.fdopen(os.open(hidden, _NEW_FILE, 0o666, dir_fd=place), "wb") as file:
                    yield file
                _check(place, hidden, artifact)
                # A link of that name is replaced, and not followed.
                os.replace(hidden, name, src_dir_fd=place, dst_dir_fd=place)
            finally:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(hidden, dir_fd=place)
    except OSError as error:
        raise NotSaved(artifact.path, error.strerror or type(error).__name__) from error


@contextmanager
def _opened(folder: Path, names: list[str]) -> Iterator[int]:
    folder.mkdir(parents=True, exist_ok=True)
    # The folder itself is the caller's choice, and may be a link.
    place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for name in names:
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, dir_fd=place)
            below = os.open(name, _FOLDER, dir_fd=place)
            os.close(place)
            place = below
        yield place
    finally:
        os.close(place)


def _check(place: int, name: str, artifact: Artifact) -> None:
    with os.fdopen(os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=place), "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        if file.tell() != artifact.bytes or digest != artifact.sha256:
            raise NotSaved(artifact.path, "what came is not what its digest says; try again")
