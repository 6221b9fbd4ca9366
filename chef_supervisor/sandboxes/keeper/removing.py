"""Removes a folder of ours that is closed to writers, never following a link."""

from __future__ import annotations

import os

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def remove_tree(path: str) -> None:
    """
    Remove it and all below it.

    Raises:
        OSError: the disk.
    """
    folder = os.open(path, _DIRECTORY)
    try:
        _empty(folder)
    finally:
        os.close(folder)
    os.rmdir(path)


def _empty(folder: int) -> None:
    os.fchmod(folder, 0o700)
    with os.scandir(folder) as entries:
        found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    for name, is_folder in found:
        if is_folder:
            inner = os.open(name, _DIRECTORY, dir_fd=folder)
            try:
                _empty(inner)
            finally:
                os.close(inner)
            os.rmdir(name, dir_fd=folder)
        else:
            os.unlink(name, dir_fd=folder)
