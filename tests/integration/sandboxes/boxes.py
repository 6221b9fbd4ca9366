"""Short ways to run work in a box and to look at what it told."""

from __future__ import annotations

import asyncio
import os
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

import attrs

from chef_supervisor.domain.files import ProjectFiles
from chef_supervisor.domain.outcome import Artifact
from chef_supervisor.domain.work import (
    ArtifactData,
    BoxEnded,
    BoxEvent,
    ReportFile,
    Step,
    StepEnded,
    StepOutput,
    StepStarted,
    StepTail,
    Work,
)
from chef_supervisor.sandboxes.sandbox import BoxOrder, Dependencies, Limits, Role, Sandbox

MIB = 1 << 20
LIMITS = Limits(memory_bytes=256 * MIB, cpus=1, pids=64, workspace_bytes=64 * MIB)
PATIENCE_S = 20.0


@attrs.frozen
class Heard:
    """The events of one box, by kind."""

    events: list[BoxEvent]

    @property
    def started(self) -> list[int]:
        return [event.index for event in self.events if isinstance(event, StepStarted)]

    @property
    def ended(self) -> list[StepEnded]:
        return [event for event in self.events if isinstance(event, StepEnded)]

    @property
    def end(self) -> BoxEnded:
        assert isinstance(self.events[-1], BoxEnded)
        assert sum(isinstance(event, BoxEnded) for event in self.events) == 1
        return self.events[-1]

    @property
    def reports(self) -> dict[str, bytes]:
        return {event.path: event.content for event in self.events if isinstance(event, ReportFile)}

    @property
    def artifacts(self) -> dict[str, Artifact]:
        return {
            event.path: event.whole
            for event in self.events
            if isinstance(event, ArtifactData) and event.whole is not None
        }

    def output(self, index: int | None = None) -> bytes:
        chunks = [event for event in self.events if isinstance(event, StepOutput | StepTail)]
        return b"".join(event.chunk for event in chunks if index in {None, event.index})


def python(code: str, *, timeout_s: float = 30, keep_going: bool = False, env: Mapping[str, str] | None = None) -> Step:
    argv = ("python3", "-I", "-c", code)
    return Step(name="python", argv=argv, timeout_s=timeout_s, keep_going=keep_going, env=env or {})


def shell(script: str, *, timeout_s: float = 30, keep_going: bool = False, cwd: str = ".") -> Step:
    return Step(name="sh", argv=("sh", "-c", script), timeout_s=timeout_s, keep_going=keep_going, cwd=cwd)


def work(*steps: Step, files: ProjectFiles | None = None, timeout_s: float = 60) -> Work:
    return Work(files=files or {}, steps=steps, timeout_s=timeout_s)


def order(role: Role = Role.JOB, limits: Limits = LIMITS, name: str | None = None) -> BoxOrder:
    return BoxOrder(name=name or f"chef-test-{uuid.uuid4().hex}", role=role, limits=limits)


async def run(
    sandbox: Sandbox,
    what: Work,
    *,
    role: Role = Role.JOB,
    limits: Limits = LIMITS,
    dependencies: Dependencies | None = None,
) -> Heard:
    async with sandbox.box(order(role, limits), dependencies) as box:
        return Heard([event async for event in box.run(what)])


def processes_with(marker: str) -> list[int]:
    """Returns: the processes of this machine that have the marker in their command line; not this one."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if marker.encode() in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


async def eventually(holds: Callable[[], bool], what: str) -> None:
    """Wait until it holds; it fails after some twenty seconds."""
    until = time.monotonic() + PATIENCE_S
    while not await asyncio.to_thread(holds):
        assert time.monotonic() < until, f"never came true: {what}"
        await asyncio.sleep(0.02)
