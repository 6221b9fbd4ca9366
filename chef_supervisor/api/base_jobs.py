"""`data.baseJobId`, `changedFiles` and `deletedPaths`: the files of an earlier job, and what is different now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import attrs

from chef_supervisor.api.project_files import SentFiles, field_of, read_path, read_project_files
from chef_supervisor.domain.assignment import Assignment
from chef_supervisor.domain.errors import TooLarge, Unprocessable
from chef_supervisor.domain.files import ProjectFiles, check_collisions
from chef_supervisor.domain.payload import pack, unpack
from chef_supervisor.settings import FileLimits

BASE: Final = "data.baseJobId"
CHANGED: Final = "data.changedFiles"
DELETED: Final = "data.deletedPaths"
# Room for every file of a base, and some that came and went.
_DELETED_PER_FILE: Final = 2


@attrs.frozen(kw_only=True)
class Changes:
    """What is different from the files of the job `base`; `deleted` are paths that must be there."""

    base: str
    changed: SentFiles
    deleted: tuple[str, ...]


def read_changes(data: Mapping[str, object], limits: FileLimits) -> Changes:
    """
    Returns: what `data` says of them; no job was looked at.

    Raises:
        Unprocessable: `invalid_base_job`, `invalid_deleted_paths`, or as read_project_files.
        TooLarge: as read_project_files.
    """
    base = data["baseJobId"]
    if not isinstance(base, str) or not base:
        raise Unprocessable("invalid_base_job", BASE, "give the id of a job of the same chatId")
    changed = read_project_files(data.get("changedFiles", {}), limits, CHANGED)
    deleted = _deleted(data.get("deletedPaths", []), limits)
    for path in deleted:
        if path in changed.files:
            raise Unprocessable("invalid_deleted_paths", field_of(DELETED, path), f"stands in {CHANGED} too")
    return Changes(base=base, changed=changed, deleted=deleted)


def _deleted(raw: object, limits: FileLimits) -> tuple[str, ...]:
    if not isinstance(raw, list) or not all(isinstance(path, str) for path in raw):
        raise Unprocessable("invalid_deleted_paths", DELETED, "give a list of paths")
    _check_deleted(raw, limits)
    return tuple(dict.fromkeys(read_path(path, field_of(DELETED, path)) for path in raw))


def _check_deleted(paths: Sequence[str], limits: FileLimits) -> None:
    most = limits.max_files * _DELETED_PER_FILE
    if len(paths) > most:
        detail = (
            f"at most {most} paths, with those that the base deleted from its archive; or send the whole project again"
        )
        raise Unprocessable("invalid_deleted_paths", DELETED, detail)


def rebased(base: bytes, changes: Changes, asked: Assignment, limits: FileLimits) -> bytes:
    """
    Returns: the payload of `asked` with the files of the payload `base` as they are after the changes; the base is not
        needed any more.

    Raises:
        Unprocessable: `invalid_deleted_paths`, `no_files`, `too_many_files`, or as check_collisions.
        TooLarge: `payload_too_large`.
    """
    before = unpack(base)
    files = _changed(before, changes)
    _check_whole(files, before.archive, limits)
    gone = (set(before.deleted) | set(changes.deleted) | changes.changed.deleted) - files.keys()
    deleted = tuple(sorted(gone)) if before.archive else ()
    # A job based on such a job has its deleted paths as well: without a bound they would grow with each.
    _check_deleted(deleted, limits)
    return pack(attrs.evolve(asked, files=files, archive=before.archive, deleted=deleted))


def _changed(before: Assignment, changes: Changes) -> ProjectFiles:
    for path in changes.deleted:
        # What is in an archive is known once it is unpacked, and no sooner.
        maybe_in_archive = before.archive and path not in before.deleted
        if path not in before.files and not maybe_in_archive:
            detail = f"job {changes.base} has no such file"
            raise Unprocessable("invalid_deleted_paths", field_of(DELETED, path), detail)
    gone = changes.changed.deleted.union(changes.deleted)
    kept = {path: content for path, content in before.files.items() if path not in gone}
    # An editor that has not loaded a binary file has not changed it either.
    unloaded = changes.changed.unloaded & kept.keys()
    changed = {path: content for path, content in changes.changed.files.items() if path not in unloaded}
    return kept | changed


def _check_whole(files: ProjectFiles, archive: bytes, limits: FileLimits) -> None:
    if not files and not archive:
        raise Unprocessable("no_files", DELETED, "no file is left")
    if len(files) > limits.max_files:
        raise Unprocessable("too_many_files", CHANGED, f"{len(files)} files in all; at most {limits.max_files}")
    if sum(map(len, files.values())) > limits.max_total_bytes:
        raise TooLarge("payload_too_large", CHANGED, limits.max_total_bytes)
    check_collisions(list(files), CHANGED)
