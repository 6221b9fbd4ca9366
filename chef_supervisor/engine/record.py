"""What the boxes of a job said, event by event, within bounds whatever they say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, assert_never

import attrs

from chef_supervisor.domain.outcome import Artifact
from chef_supervisor.domain.work import (
    ArtifactData,
    BoxEnded,
    BoxEvent,
    EndedBy,
    LiveOutput,
    ReportFile,
    Step,
    StepEnded,
    StepOutput,
    StepStarted,
    StepTail,
    Work,
)
from chef_supervisor.engine.headtail import HeadTail, shrink_to_fit
from chef_supervisor.engine.install import at
from chef_supervisor.engine.paths import project_path
from chef_supervisor.engine.plan import Plan

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
# What stands for the place of the dependencies in all that is told.
_DEPS: Final = "/deps"
# A running step counts a tenth of an ended one: progress moves when it starts.
_STARTED: Final = 1
_WHOLE: Final = 10
_MOST_PERCENT: Final = 99
# What is kept of the output of all steps together.
_MOST_OUTPUT_BYTES: Final = 2 << 20
_SHELL: Final = ("sh", "-c")


@attrs.define(eq=False)
class BoxRecord:
    """One box. Written by `Record.add()` only."""

    work: Work
    outputs: dict[int, HeadTail] = attrs.field(factory=dict)
    # The steps whose last bytes are being told.
    tails: set[int] = attrs.field(factory=set)
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

    Of what each step printed both ends are kept, and 2 MiB in all: where that is too little, of the steps that printed
    the most the least is kept.
    """

    plan: Plan
    install: BoxRecord | None = attrs.field(init=False)
    run: BoxRecord = attrs.field(init=False)
    reports: dict[str, bytes] = attrs.field(factory=dict, init=False)
    artifacts: dict[str, Artifact] = attrs.field(factory=dict, init=False)
    left_out: int = attrs.field(default=0, init=False)
    # What is to be said of the dependencies, whoever installed them.
    notes: tuple[str, ...] = attrs.field(default=(), init=False)
    # Why what was installed cannot be used, as a sentence.
    refusal: str = attrs.field(default="", init=False)

    def __attrs_post_init__(self) -> None:
        """Start with nothing said."""
        self.begin_install()
        self.run = BoxRecord(at(self.plan.run, _DEPS))

    def begin_install(self) -> None:
        """Take the next events as those of an install, where the plan has one; a second one replaces the first."""
        self.install = BoxRecord(at(self.plan.install.work, _DEPS)) if self.plan.install is not None else None

    def reuse_install(self) -> None:
        """Nothing is installed for this job: what is needed is there."""
        self.install = None

    @property
    def current(self) -> BoxRecord:
        """The box that the next event is of."""
        if self.install is not None and not self.install.succeeded:
            return self.install
        return self.run

    @property
    def weight_bytes(self) -> int:
        """How much there is to be read."""
        return sum(map(len, self.reports.values())) + sum(output.kept for output in self._outputs())

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
            case StepOutput() | LiveOutput() | StepTail():
                self._keep_output(box, event)
            case StepEnded():
                self._end(box, event)
            case ReportFile(path, content):
                if path in box.work.reports:
                    self.reports.setdefault(path, content[: box.work.report_bytes])
            case ArtifactData(whole=whole):
                if whole is not None:
                    self._keep(whole)
            case BoxEnded():
                box.end = event
            case _:
                assert_never(event)

    def add_audited(self, event: BoxEvent) -> None:
        """Take the next event of the box that asks about vulnerabilities: its reports are all that counts."""
        audit = self.plan.analysis.audit if self.plan.analysis is not None else None
        if audit is not None and isinstance(event, ReportFile) and event.path in audit.reports:
            self.reports.setdefault(event.path, event.content[: audit.report_bytes])

    def _start(self, box: BoxRecord, index: int) -> None:
        if not self._is_step(box, index) or index in box.started:
            return
        box.started.add(index)
        box.outputs[index] = HeadTail(self.plan.output_bytes, command_line(box.work.steps[index]))

    @staticmethod
    def _keep_output(box: BoxRecord, printed: StepOutput | LiveOutput | StepTail) -> None:
        output = box.outputs.get(printed.index)
        if output is None:
            return
        if isinstance(printed, LiveOutput):
            # The end that counts comes as the tail; of a step that is killed with its box this is all there is.
            output.skip(printed.skipped_bytes)
        elif isinstance(printed, StepTail) and printed.index not in box.tails:
            box.tails.add(printed.index)
            output.begin_tail()
        output.add(printed.chunk)

    def _end(self, box: BoxRecord, ended: StepEnded) -> None:
        if not self._is_step(box, ended.index) or ended.index in box.ended:
            return
        box.ended[ended.index] = ended
        if ended.index in box.outputs:
            box.outputs[ended.index].dropped += max(0, ended.dropped_bytes)
        shrink_to_fit(self._outputs(), _MOST_OUTPUT_BYTES)

    def _outputs(self) -> list[HeadTail]:
        boxes = [box for box in (self.install, self.run) if box is not None]
        return [output for box in boxes for output in box.outputs.values()]

    @staticmethod
    def _is_step(box: BoxRecord, index: int) -> bool:
        return 0 <= index < len(box.work.steps)

    def _keep(self, artifact: Artifact) -> None:
        is_sane = project_path(artifact.path) == artifact.path and _SHA256.fullmatch(artifact.sha256)
        if is_sane and artifact.bytes >= 0 and len(self.artifacts) < self.plan.run.max_artifacts:
            self.artifacts.setdefault(artifact.path, artifact)
        else:
            self.left_out += 1


def command_line(step: Step) -> bytes:
    """Returns: what stands before the output of a step; what the shell is given, as people would type it there."""
    words = step.argv[len(_SHELL) :] if step.argv[: len(_SHELL)] == _SHELL else step.argv
    return f"$ {' '.join(words)}\n".encode(errors="replace")


def needs_retry(record: Record) -> bool:
    """Returns: whether the infrastructure spoilt the run: a box ended from outside, without verdict or known limit."""
    box = record.current
    return (
        not record.refusal and not box.whole and (box.end is None or box.end.ended_by in {EndedBy.EXIT, EndedBy.KILLED})
    )


def report_readers(plan: Plan) -> Mapping[str, str]:
    """Returns: report path -> name of its reader, of all steps."""
    return {path: reader for planned in plan.steps for path, reader in planned.reports.items()}
