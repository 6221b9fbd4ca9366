"""Copies a hostile folder: regular files, folders and links as they are, nothing that could harm a reader."""

from __future__ import annotations

import os
import stat

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_CHUNK = 1 << 24
_BLOCK = 4096
# Each level holds two descriptors. Real trees of nested node_modules stay below forty.
_MAX_DEPTH = 200
_SHOWN = 200


class Refused(Exception):
    """It may not be kept; the text goes on after "because"."""


class Copying:
    """
    One copy. `bytes` is what it takes on the disk, in whole blocks.

    Copies are readable and executable by all, writable by nobody, and ours: no owner, setuid bit, capability or
    attribute of the original comes along. Times do: Python looks at them for what it has compiled.
    """

    def __init__(self, max_bytes: int, max_files: int) -> None:
        self._max_bytes = max_bytes
        self._max_files = max_files
        self._files = 0
        self._target = -1
        # inode -> where its first name was copied to, below the target.
        self._linked: dict[int, str] = {}
        self.bytes = 0

    def copy(self, source: int, target: int) -> None:
        """
        Copy the folder `source` into the empty folder `target`, and close that to writers.

        Raises:
            Refused: it is larger than it may be, or has a device, pipe or socket in it.
            OSError: the disk.
        """
        self._target = target
        self._copy_folder(source, target, "", depth=0)

    def _copy_folder(self, source: int, target: int, path: str, depth: int) -> None:
        if depth > _MAX_DEPTH:
            raise Refused(f"their folders are nested more than {_MAX_DEPTH} deep")
        _let_read(source, os.fstat(source), 0o700)
        with os.scandir(source) as entries:
            names = [entry.name for entry in entries]
        for name in names:
            self._copy_one(source, target, name, f"{path}{name}", depth)
        os.fchmod(target, 0o555)

    def _copy_one(self, source: int, target: int, name: str, path: str, depth: int) -> None:
        status = os.stat(name, dir_fd=source, follow_symlinks=False)
        kind = stat.S_IFMT(status.st_mode)
        self._count(status)
        if kind == stat.S_IFDIR:
            self._copy_inner(source, target, name, path, depth)
        elif kind == stat.S_IFLNK:
            os.symlink(os.readlink(name, dir_fd=source), name, dir_fd=target)
        elif kind == stat.S_IFREG:
            self._copy_file(source, target, name, path, status)
        else:
            raise Refused(f"{_shown(path)} is a device, a pipe or a socket")

    def _count(self, status: os.stat_result) -> None:
        self._files += 1
        if self._files > self._max_files:
            raise Refused(f"they are more than {self._max_files} files")
        again = stat.S_ISREG(status.st_mode) and status.st_ino in self._linked
        # Apparent size: a file with holes is counted as what its copy could take.
        self.bytes += 0 if again else max(_BLOCK, -(-status.st_size // _BLOCK) * _BLOCK)
        if self.bytes > self._max_bytes:
            raise Refused(f"they take more than {self._max_bytes} bytes (dependencies.max_entry_bytes)")

    def _copy_inner(self, source: int, target: int, name: str, path: str, depth: int) -> None:
        os.mkdir(name, 0o755, dir_fd=target)
        inner_source = _open(name, _DIRECTORY, source)
        try:
            inner_target = os.open(name, _DIRECTORY, dir_fd=target)
            try:
                self._copy_folder(inner_source, inner_target, f"{path}/", depth + 1)
            finally:
                os.close(inner_target)
        finally:
            os.close(inner_source)

    def _copy_file(self, source: int, target: int, name: str, path: str, status: os.stat_result) -> None:
        if status.st_nlink > 1 and self._link(target, name, path, status.st_ino):
            return
        reading = _open(name, _READ, source)
        try:
            writing = os.open(name, _WRITE, 0o600, dir_fd=target)
            try:
                _copy_content(reading, writing, status.st_size)
                os.fchmod(writing, 0o555 if status.st_mode & 0o111 else 0o444)
                os.utime(writing, ns=(status.st_mtime_ns, status.st_mtime_ns))
            finally:
                os.close(writing)
        finally:
            os.close(reading)

    def _link(self, target: int, name: str, path: str, inode: int) -> bool:
        """Returns: whether it is a second name of a file that is copied already."""
        first = self._linked.setdefault(inode, path)
        if first == path:
            return False
        try:
            os.link(first, name, src_dir_fd=self._target, dst_dir_fd=target, follow_symlinks=False)
        except OSError:
            # A path, or a number of names, beyond what the disk takes: then as a file of its own.
            return False
        return True


def _open(name: str, flags: int, folder: int) -> int:
    try:
        return os.open(name, flags, dir_fd=folder)
    except PermissionError:
        # Closed even to its owner, who we are where there is no Docker Engine.
        os.chmod(name, 0o700, dir_fd=folder)
        return os.open(name, flags, dir_fd=folder)


def _let_read(folder: int, status: os.stat_result, wanted: int) -> None:
    if status.st_uid == os.geteuid() and status.st_mode & wanted != wanted:
        os.fchmod(folder, wanted)


def _copy_content(reading: int, writing: int, size: int) -> None:
    while size > 0:
        copied = os.sendfile(writing, reading, None, min(size, _CHUNK))
        if not copied:
            return
        size -= copied


def _shown(path: str) -> str:
    return repr(path if len(path) <= _SHOWN else f"...{path[-_SHOWN:]}")
