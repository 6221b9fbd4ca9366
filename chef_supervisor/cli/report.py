"""What was found, on stdout: for people a table and what is wrong line by line, for programs the jobs as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from typing import Final

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from chef_supervisor.cli.plain import first_line, plain
from chef_supervisor.client import Diagnostic, Job, JobResult
from chef_supervisor.domain.job import JobStatus
from chef_supervisor.domain.outcome import Verdict

# Wide enough for what stands in the table, where no terminal says how wide it is.
_PAGE_COLUMNS: Final = 120
_COLOURS: Final = {Verdict.PASSED: "green", Verdict.SKIPPED: "yellow", Verdict.FAILED: "red"}


def print_json(jobs: Sequence[Job]) -> None:
    """Print what the service last said of each job, as one list."""
    click.echo(json.dumps([job.raw for job in jobs], indent=2))


def print_ids(jobs: Sequence[Job]) -> None:
    """Print type and id, a line a job."""
    for job in jobs:
        click.echo(f"{job.type} {job.job_id}")


def print_results(jobs: Sequence[Job]) -> None:
    """Print a table, and below it what is wrong."""
    console = Console(width=None if sys.stdout.isatty() else _PAGE_COLUMNS)
    # Printed by it, a pipe that nobody reads would end the process.
    with console.capture() as table:
        console.print(_table(jobs))
    click.echo(table.get(), nl=False)
    for job in jobs:
        for line in _findings(job):
            click.echo(line)


def _table(jobs: Sequence[Job]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("type", "status", "verdict", "took", "job"):
        table.add_column(name, overflow="fold")
    for job in jobs:
        verdict = job.result.verdict if job.result is not None else ""
        table.add_row(
            Text(plain(job.type)),
            Text(plain(job.status)),
            Text(plain(verdict), style=_COLOURS.get(Verdict(verdict), "") if verdict in set(Verdict) else ""),
            Text(_took(job)),
            Text(plain(job.job_id)),
        )
    return table


def _took(job: Job) -> str:
    if job.started_at is None or job.finished_at is None:
        return ""
    return f"{(job.finished_at - job.started_at).total_seconds():.1f} s"


def _findings(job: Job) -> Iterator[str]:
    if job.result is None:
        return
    yield f"{plain(job.type)}: {first_line(job.result.message)}"
    yield from (f"{plain(job.type)}: note: {first_line(warning)}" for warning in job.result.warnings)
    yield from map(_diagnostic, job.result.diagnostics)
    yield from _failed_tests(job.result)
    told = job.result.diagnostics or (job.result.tests is not None and job.result.tests.failed)
    if job.status != JobStatus.COMPLETED and not told:
        yield plain(job.result.summary).rstrip()


def _diagnostic(found: Diagnostic) -> str:
    place = plain(found.file)
    if found.line:
        place += f":{found.line}" + (f":{found.column}" if found.column else "")
    origin = " ".join(word for word in (plain(found.tool), plain(found.code)) if word)
    return f"{place} {plain(found.severity)}: {first_line(found.message)}" + (f" [{origin}]" if origin else "")


def _failed_tests(result: JobResult) -> Iterator[str]:
    for case in result.tests.cases if result.tests is not None else ():
        if case.status == Verdict.FAILED:
            yield f"{first_line(case.file)} > {first_line(case.name)}: {first_line(case.message)}"
