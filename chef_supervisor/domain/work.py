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
    OUTPUT_LIMIT = "output_limit"
    KILLED = "killed"
    # Nothing was begun: the dependencies that it needs are not there any more.
    DEPENDENCIES_GONE = "dependencies_gone"


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
    `artifact_globs`: files to hand back, so many and so large in all; what goes beyond is counted in a warning.
    `links_from`: a folder below `/deps` whose `node_modules` becomes a real folder of links in the workspace.
    `needs`: a folder without which nothing is begun. `most_disk_bytes`: how much may be written below the root; 0 = what
    its disk holds.
    `step_output_bytes`: of each step the first so many bytes are kept, and the last so many. `live_bytes_per_s`: how much
    of what lies between them is told while the step runs. Steps that print more than `most_output_bytes` are ended.
    """

    files: ProjectFiles = attrs.field(repr=False)
    steps: tuple[Step, ...]
    env: Mapping[str, str] = attrs.field(factory=dict)
    timeout_s: float
    root: str = "/workspace"
    reports: tuple[str, ...] = ()
    artifact_globs: tuple[str, ...] = ()
    links_from: str | None = None
    needs: str | None = None
    most_disk_bytes: int = 0
    step_output_bytes: int = 262_144
    live_bytes_per_s: int = 65_536
    most_output_bytes: int = 1 << 30
    report_bytes: int = 4 << 20
    max_artifacts: int = 2000
    artifact_bytes: int = 64 << 20


@attrs.frozen
class StepStarted:
    """The step of that index runs now."""

    index: int


@attrs.frozen
class StepOutput:
    """The next of the first bytes that a step printed, stdout and stderr as they came."""

    index: int
    chunk: bytes


@attrs.frozen
class LiveOutput:
    """
    Of what a step prints after its first bytes, so much as live readers may be told.

    `skipped_bytes`: how many were left out before the chunk, and after what was told last. `printed_bytes`: how long
    the chunk was when it was printed; something may have been taken out of it since.
    """

    index: int
    chunk: bytes
    skipped_bytes: int = 0
    printed_bytes: int = attrs.field()

    @printed_bytes.default
    def _as_it_is(self) -> int:
        return len(self.chunk)


@attrs.frozen
class StepTail:
    """
    The next of the last bytes that a step printed, told when it ended; where it printed little there are none.

    `printed_bytes`: as of `LiveOutput`.
    """

    index: int
    chunk: bytes
    printed_bytes: int = attrs.field()

    @printed_bytes.default
    def _as_it_is(self) -> int:
        return len(self.chunk)


@attrs.frozen(kw_only=True)
class StepEnded:
    """
    A step is over. `exit_code` is None where a signal or a limit ended it.

    `dropped_bytes`: how many of those that it printed stand neither in its first nor in its last bytes.
    """

    index: int
    exit_code: int | None
    ended_by: EndedBy
    ms: int
    dropped_bytes: int = 0


@attrs.frozen
class ReportFile:
    """A report file, whole (or cut at `report_bytes`)."""

    path: str
    content: bytes = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class ArtifactData:
    """The next bytes of a file that the artifact globs matched; `whole` comes with the last of them."""

    path: str
    chunk: bytes = attrs.field(repr=False)
    whole: Artifact | None = None


@attrs.frozen(kw_only=True)
class BoxEnded:
    """
    The last event, exactly once.

    `complete` is False where the box ended without the agent's verdict (killed, out of memory): `ended_by` then says
    what the engine knows. `warnings`: such as a child killed for memory while its step ended well.
    """

    complete: bool
    ended_by: EndedBy
    warnings: tuple[str, ...] = ()


BoxEvent: TypeAlias = (
    StepStarted | StepOutput | LiveOutput | StepTail | StepEnded | ReportFile | ArtifactData | BoxEnded
)
