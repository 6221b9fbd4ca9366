"""What the boxes of a job said, event by event, within bounds whatever they say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, assert_never

import attrs

from chef_supervisor.domain.outcome import Artifact
from chef_supervisor.domain.work import (
    ArtifactFound,
    BoxEnded,
    BoxEvent,
    EndedBy,
    ReportFile,
    StepEnded,
    StepOutput,
    StepStarted,
    Work,
)
from chef_supervisor.engine.headtail import HeadTail
from chef_supervisor.engine.paths import project_path
from chef_supervisor.engine.plan import Plan

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
# A running step counts a tenth of an ended one: progress moves when it starts.
_STARTED: Final = 1
_WHOLE: Final = 10
_MOST_PERCENT: Final = 99


@attrs.define(eq=False)
class BoxRecord:
    """One box. Written by `Record.add()` only."""

    work: Work
    output: HeadTail
    started: set[int] = attrs.field(factory=set)
    ended: dict[int, StepEnded] = attrs.field(factory=dict)
    end: BoxEnded | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the box came to its end and every step with exit code 0."""
        return self.whole and all(self.passed(index) for index in range(len(self.work.steps)))

    @property
    def whole(self) -> bool:
        """Whether the agent gave its verdict and no step is missing from it but for those after a failed one."""
        return self.end is not None and self.end.complete and not self._missing()

    def passed(self, index: int) -> bool:
        """Returns: whether that step ended by itself with exit code 0."""
        ended = self.ended.get(index)
        return ended is not None and ended.ended_by is EndedBy.EXIT and ended.exit_code == 0

    def first_failed(self) -> int | None:
        """Returns: the first step that ended badly."""
        return next((index for index in sorted(self.ended) if not self.passed(index)), None)

    def _missing(self) -> bool:
        for index, step in enumerate(self.work.steps):
            if index not in self.ended:
                return True
            if not self.passed(index) and not step.keep_going:
                return False
        return False


@attrs.define(eq=False)
class Record:
    """
    Takes the events of the install box, where the plan has one, then those of the run box.

    What the install printed is kept only where it failed.
    """

    plan: Plan
    install: BoxRecord | None = attrs.field(init=False)
    run: BoxRecord = attrs.field(init=False)
    reports: dict[str, bytes] = attrs.field(factory=dict, init=False)
    artifacts: dict[str, Artifact] = attrs.field(factory=dict, init=False)
    left_out: int = attrs.field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        """Start with nothing said."""
        limit = self.plan.output_bytes
        self.install = BoxRecord(self.plan.install, HeadTail(limit)) if self.plan.install is not None else None
        self.run = BoxRecord(self.plan.run, HeadTail(limit))

    @property
    def current(self) -> BoxRecord:
        """The box that the next event is of."""
        if self.install is not None and not self.install.succeeded:
            return self.install
        return self.run

    @property
    def install_failed(self) -> bool:
        """Whether the install is over and the run cannot be begun."""
        return self.install is not None and self.install.end is not None and not self.install.succeeded

    @property
    def percent(self) -> int:
        """0..99, never falls: the steps of both boxes, ended and running."""
        boxes = [box for box in (self.install, self.run) if box is not None]
        total = sum(len(box.work.steps) for box in boxes) * _WHOLE
        done = sum(
            _STARTED * len(box.started | box.ended.keys()) + (_WHOLE - _STARTED) * len(box.ended) for box in boxes
        )
        return min(_MOST_PERCENT, _MOST_PERCENT * done // max(1, total))

    def add(self, event: BoxEvent) -> None:
        """Take the next event; what cannot be (an index that is no step, a report nobody asked for) is ignored."""
        box = self.current
        if box.end is not None:
            return
        match event:
            case StepStarted(index):
                self._start(box, index)
            case StepOutput(_, chunk):
                box.output.add(chunk)
            case StepEnded():
                if self._is_step(box, event.index):
                    box.ended.setdefault(event.index, event)
            case ReportFile(path, content):
                if path in box.work.reports:
                    self.reports.setdefault(path, content[: box.work.report_bytes])
            case ArtifactFound(artifact):
                self._keep(artifact)
            case BoxEnded():
                box.end = event
            case _:
                assert_never(event)

    def _start(self, box: BoxRecord, index: int) -> None:
        if not self._is_step(box, index) or index in box.started:
            return
        box.started.add(index)
        box.output.add(f"$ {' '.join(box.work.steps[index].argv)}\n".encode())

    @staticmethod
    def _is_step(box: BoxRecord, index: int) -> bool:
        return 0 <= index < len(box.work.steps)

    def _keep(self, artifact: Artifact) -> None:
        is_sane = project_path(artifact.path) == artifact.path and _SHA256.fullmatch(artifact.sha256)
        if is_sane and artifact.bytes >= 0 and len(self.artifacts) < self.plan.run.max_artifacts:
            self.artifacts.setdefault(artifact.path, artifact)
        else:
            self.left_out += 1


def needs_retry(record: Record) -> bool:
    """Returns: whether the infrastructure spoilt the run: a box ended from outside, without verdict or known limit."""
    box = record.current
    return not box.whole and (box.end is None or box.end.ended_by in {EndedBy.EXIT, EndedBy.KILLED})


def report_readers(plan: Plan) -> Mapping[str, str]:
    """Returns: report path -> name of its reader, of all steps."""
    return {path: reader for planned in plan.steps for path, reader in planned.reports.items()}
