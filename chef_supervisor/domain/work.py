"""What is done in a box and what a box tells: steps and limits going in, events coming out."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import TypeAlias

import attrs

from chef_supervisor.domain.files import ProjectFiles
from chef_supervisor.domain.outcome import Artifact


class EndedBy(enum.StrEnum):
    """Why a step or the whole box ended, as far as the outside (or the agent) can tell."""

    EXIT = "exit"
    TIMEOUT = "timeout"
    OOM = "oom"
    DISK_FULL = "disk_full"
    PIDS = "pids"
    KILLED = "killed"


@attrs.frozen(kw_only=True)
class Step:
    """One command. `argv` is never given to a shell by us; `cwd` is relative to the workspace."""

    name: str
    argv: tuple[str, ...]
    timeout_s: float
    cwd: str = "."
    env: Mapping[str, str] = attrs.field(factory=dict)
    # What follows runs even though this step failed (analyze: every tool has its say).
    keep_going: bool = False


@attrs.frozen(kw_only=True)
class Work:
    """
    What the agent does in a box: write `files`, link dependencies, run `steps`, hand back reports and artifacts.

    `root`: where the files are written and the steps run; `/workspace`, or `/deps` for an install.
    `reports`: files to read back whole (relative to the workspace; absent ones are left out).
    `artifact_globs`: files to list with size and digest. `links_from`: a folder below `/deps` whose `node_modules`
    becomes a real folder of links in the workspace.
    """

    files: ProjectFiles = attrs.field(repr=False)
    steps: tuple[Step, ...]
    env: Mapping[str, str] = attrs.field(factory=dict)
    timeout_s: float
    root: str = "/workspace"
    reports: tuple[str, ...] = ()
    artifact_globs: tuple[str, ...] = ()
    links_from: str | None = None
    output_bytes: int = 1 << 20
    report_bytes: int = 4 << 20
    max_artifacts: int = 2000


@attrs.frozen
class StepStarted:
    """The step of that index runs now."""

    index: int


@attrs.frozen
class StepOutput:
    """Bytes a step printed, stdout and stderr as they came; past `output_bytes` the middle is dropped and counted."""

    index: int
    chunk: bytes


@attrs.frozen(kw_only=True)
class StepEnded:
    """A step is over. `exit_code` is None where a signal or a limit ended it."""

    index: int
    exit_code: int | None
    ended_by: EndedBy
    ms: int


@attrs.frozen
class ReportFile:
    """A report file, whole (or cut at `report_bytes`)."""

    path: str
    content: bytes = attrs.field(repr=False)


@attrs.frozen
class ArtifactFound:
    """A file that the artifact globs matched."""

    artifact: Artifact


@attrs.frozen(kw_only=True)
class BoxEnded:
    """
    The last event, exactly once.

    `complete` is False where the box ended without the agent's verdict (killed, out of memory): `ended_by` then says
    what the engine knows. `warnings`: such as a child killed for memory while its step ended well.
    """

    complete: bool
    ended_by: EndedBy
    dropped_bytes: int = 0
    warnings: tuple[str, ...] = ()


BoxEvent: TypeAlias = StepStarted | StepOutput | StepEnded | ReportFile | ArtifactFound | BoxEnded
