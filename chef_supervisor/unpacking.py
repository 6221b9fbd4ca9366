"""
An archive that was sent -> the files of a project. It is unpacked inside a box of its own, and nowhere else.

What the box says of it is checked like all that boxes say: its files have paths that a project may have, and there are
not more of them, or larger ones, than a project may have.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Final

import attrs
import orjson

from chef_supervisor.domain.assignment import Assignment
from chef_supervisor.domain.errors import SandboxUnavailable, Unprocessable
from chef_supervisor.domain.files import ProjectFiles, check_collisions
from chef_supervisor.domain.job import JobStatus
from chef_supervisor.domain.outcome import Cause, Outcome, Result, Verdict
from chef_supervisor.domain.work import ArtifactData, BoxEnded, BoxEvent, EndedBy, ReportFile, Step, StepEnded, Work
from chef_supervisor.engine.text import message_of
from chef_supervisor.sandboxes.agent.unpack.places import ARCHIVE, REPORT
from chef_supervisor.sandboxes.inside import AGENT_AT, WORKSPACE
from chef_supervisor.sandboxes.sandbox import BoxOrder
from chef_supervisor.sandboxes.watched import WatchedSandbox
from chef_supervisor.settings import FileLimits

# What the program allows itself to read takes a few seconds of a whole CPU.
_TIMEOUT_S: Final = 60.0
_REPORT_BYTES: Final = 65_536
_MOST_WARNINGS: Final = 10
_MOST_CHARS: Final = 500
_LIMITS: Final = {
    EndedBy.TIMEOUT: f"it was not unpacked within {_TIMEOUT_S:g} s",
    EndedBy.OOM: "to unpack it takes more memory than a job may use",
    EndedBy.DISK_FULL: "to unpack it takes more room than a job has",
    EndedBy.PIDS: "it could not be unpacked",
    EndedBy.OUTPUT_LIMIT: "it could not be unpacked",
}
_PACK_AGAIN: Final = "pack the project again, as a tar.gz or zip"


@attrs.frozen
class Whole:
    """An assignment with all its files, and sentences on what was left out of them."""

    assignment: Assignment
    warnings: tuple[str, ...] = ()

    def tell(self, outcome: Outcome) -> Outcome:
        """Returns: the outcome of that work, with the warnings."""
        if not self.warnings:
            return outcome
        result = attrs.evolve(outcome.result, warnings=(*self.warnings, *outcome.result.warnings))
        return attrs.evolve(outcome, result=result)


class _BadArchive(Exception):
    """Why the archive is not used, as half a sentence."""


async def whole(asked: Assignment, limits: FileLimits, sandbox: WatchedSandbox, order: BoxOrder) -> Whole | Outcome:
    """
    Returns: what is asked for, its archive unpacked in the box that `order` starts; or the end of a job whose archive
        is bad. Without an archive it is what it was, and no box is started.

    Raises:
        SandboxUnavailable: the box failed, and not the archive.
    """
    if not asked.archive:
        return Whole(asked)
    heard = _Heard()
    async with sandbox.box(order, None) as box:
        await heard.listen(box.run(_work(asked.archive, limits)))
    try:
        files, warnings = heard.judge()
        merged, missing = _merged(files, asked, limits)
    except _BadArchive as error:
        return _bad(str(error))
    return Whole(attrs.evolve(asked, files=merged, archive=b"", deleted=()), (*warnings, *missing))


def _work(archive: bytes, limits: FileLimits) -> Work:
    numbers = (limits.max_files, limits.max_file_bytes, limits.max_total_bytes)
    argv = ("python3", "-I", f"{AGENT_AT}/unpack", *map(str, numbers))
    return Work(
        files={ARCHIVE: archive},
        steps=(Step(name="unpack", argv=argv, timeout_s=_TIMEOUT_S),),
        timeout_s=_TIMEOUT_S,
        root=WORKSPACE,
        reports=(REPORT,),
        artifact_globs=("**",),
        step_output_bytes=_REPORT_BYTES,
        most_output_bytes=1 << 20,
        report_bytes=_REPORT_BYTES,
        max_artifacts=limits.max_files,
        artifact_bytes=limits.max_total_bytes,
    )


@attrs.define(eq=False)
class _Heard:
    """What the box said. Written by `listen` only."""

    files: dict[str, bytearray] = attrs.field(factory=dict)
    report: bytes = b""
    ended: list[EndedBy] = attrs.field(factory=list)
    complete: bool = False

    async def listen(self, events: AsyncIterator[BoxEvent]) -> None:
        """Take all that the box says; the wire bounds it by the work."""
        async for event in events:
            match event:
                case ArtifactData():
                    self.files.setdefault(event.path, bytearray()).extend(event.chunk)
                case ReportFile(content=content):
                    self.report = content
                case StepEnded():
                    self.ended.append(event.ended_by)
                case BoxEnded():
                    self.ended.append(event.ended_by)
                    self.complete = event.complete
                case _:
                    pass

    def judge(self) -> tuple[ProjectFiles, tuple[str, ...]]:
        """
        Returns: the files, and what the box said was left out.

        Raises:
            _BadArchive: it said what is wrong, or a limit ended it.
            SandboxUnavailable: it was ended from outside.
        """
        said = self._said()
        fault = said.get("fault")
        if isinstance(fault, str):
            raise _BadArchive(message_of(fault, _MOST_CHARS))
        for ended_by in self.ended:
            if ended_by in _LIMITS:
                raise _BadArchive(f"{_LIMITS[ended_by]}; {_PACK_AGAIN}")
        if not self.complete:
            raise SandboxUnavailable("the box that unpacked the archive was ended from outside")
        # One that did not arrive would be missed by the project, and by nobody else.
        if not self.files or said.get("files") != len(self.files):
            raise _BadArchive(f"it cannot be read; {_PACK_AGAIN}")
        return {path: bytes(content) for path, content in self.files.items()}, _texts(said.get("warnings"))

    def _said(self) -> dict[str, object]:
        try:
            said = orjson.loads(self.report)
        except orjson.JSONDecodeError:
            return {}
        return said if isinstance(said, dict) else {}


def _texts(said: object) -> tuple[str, ...]:
    if not isinstance(said, list):
        return ()
    return tuple(message_of(text, _MOST_CHARS) for text in said[:_MOST_WARNINGS] if isinstance(text, str))


def _merged(files: ProjectFiles, asked: Assignment, limits: FileLimits) -> tuple[ProjectFiles, tuple[str, ...]]:
    """Returns: the files with the changes that came later, and a warning where there was nothing to delete."""
    missing = [path for path in asked.deleted if path not in files]
    kept = {path: content for path, content in files.items() if path not in asked.deleted}
    merged = kept | asked.files
    _check_whole(merged, limits)
    return merged, _nothing_to_delete(missing)


def _check_whole(files: ProjectFiles, limits: FileLimits) -> None:
    if not files:
        msg = "all its files were deleted"
        raise _BadArchive(msg)
    if len(files) > limits.max_files:
        raise _BadArchive(f"with the changed files there are more than {limits.max_files} files (files.max_files)")
    if sum(map(len, files.values())) > limits.max_total_bytes:
        most = limits.max_total_bytes
        raise _BadArchive(f"with the changed files there are more than {most} bytes (files.max_total_bytes)")
    try:
        check_collisions(list(files), "")
    except Unprocessable as error:
        raise _BadArchive(error.detail) from error


def _nothing_to_delete(missing: Iterable[str]) -> tuple[str, ...]:
    paths = sorted(missing)
    if not paths:
        return ()
    return (message_of(f"{len(paths)} of the deletedPaths are not in the archive, such as {paths[0]!r}", _MOST_CHARS),)


def _bad(reason: str) -> Outcome:
    message = f"The archive cannot be used: {reason}."
    result = Result(verdict=Verdict.FAILED, cause=Cause.BAD_ARCHIVE, message=message, summary=f"failed: {message}")
    return Outcome(status=JobStatus.FAILED, result=result)
