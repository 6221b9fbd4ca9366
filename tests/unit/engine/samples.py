"""What the engine's tests share: the real toolchains, small projects as bytes, and boxes that say what they are told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import attrs

from chef_supervisor.domain.assignment import Assignment
from chef_supervisor.domain.files import ProjectFiles
from chef_supervisor.domain.job import JobType
from chef_supervisor.domain.work import BoxEnded, BoxEvent, EndedBy, ReportFile, StepEnded, StepOutput, StepStarted
from chef_supervisor.engine.plan import Budget, Plan, plan
from chef_supervisor.engine.record import Record
from chef_supervisor.engine.text import decode, without_our_paths
from chef_supervisor.engine.toolchains import load_toolchains
from tests.kit import sample_projects

TOOLCHAINS: Final = load_toolchains(Path(__file__).parents[3] / "config" / "toolchains")
BY_NAME: Final = {one.name: one for one in TOOLCHAINS}
BUDGET: Final = Budget(steps_timeout_s=60, install_timeout_s=30, output_bytes=262_144)
_CAPTURES: Final = Path(__file__).parent / "captures"


def capture(name: str) -> bytes:
    """Returns: what a tool really printed or reported; how each was made is in captures/README.md."""
    return (_CAPTURES / name).read_bytes()


def printed(name: str) -> list[str]:
    """Returns: the lines of a capture as readers get them."""
    return without_our_paths(decode(capture(name))).splitlines()


def as_bytes(files: Mapping[str, str]) -> ProjectFiles:
    """Returns: the files as the engine takes them."""
    return {path: text.encode() for path, text in files.items()}


def package(dependencies: tuple[str, ...] = (), **scripts: str) -> dict[str, str]:
    """Returns: a project that is its package.json alone."""
    declared = {"scripts": scripts, "devDependencies": dict.fromkeys(dependencies, "*")}
    return {"package.json": json.dumps(declared)}


def planned(job_type: JobType, files: Mapping[str, str], asked: Assignment | None = None) -> Plan:
    """Returns: the plan; fails where it is an outcome."""
    found = plan(job_type, attrs.evolve(asked or Assignment(), files=as_bytes(files)), TOOLCHAINS, BUDGET)
    assert isinstance(found, Plan), found
    return found


def web_record(job_type: JobType = JobType.BUILD) -> Record:
    """Returns: the record of the web sample, its install already done."""
    record = Record(planned(job_type, sample_projects.load("web")))
    for event in box(exits=(0,)):
        record.add(event)
    return record


def box(
    *,
    exits: tuple[int | None, ...] = (),
    output: bytes = b"",
    reports: Mapping[str, bytes] | None = None,
    ended_by: EndedBy = EndedBy.EXIT,
    complete: bool = True,
) -> list[BoxEvent]:
    """Returns: the events of a box whose steps end so; `ended_by` is said of the last step and of the box."""
    events: list[BoxEvent] = []
    for index, code in enumerate(exits):
        last = index == len(exits) - 1
        how = ended_by if last else EndedBy.EXIT
        events += [StepStarted(index), StepOutput(index, output if last else b"")]
        events.append(StepEnded(index=index, exit_code=code, ended_by=how, ms=5))
    events += [ReportFile(path, content) for path, content in (reports or {}).items()]
    events.append(BoxEnded(complete=complete, ended_by=EndedBy.EXIT if complete else ended_by))
    return events
