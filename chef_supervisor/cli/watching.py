"""How jobs are watched while they are waited for, on stderr: bars where it is a terminal, else a line per change."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

import attrs
import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from chef_supervisor.cli.plain import plain
from chef_supervisor.client import Job


class Watch(Protocol):
    """Where it is told how things go."""

    def say(self, text: str) -> None:
        """Print a line."""

    def show(self, job: Job) -> None:
        """Tell how a job is now."""


@attrs.define(eq=False)
class Lines:
    """One line when a job's status changes."""

    _last: dict[str, str] = attrs.field(factory=dict)

    def say(self, text: str) -> None:
        """See `Watch`."""
        # The jobs go on, also where nobody listens any more.
        with suppress(BrokenPipeError):
            click.echo(plain(text), err=True)

    def show(self, job: Job) -> None:
        """See `Watch`."""
        if self._last.get(job.job_id) != job.status:
            self._last[job.job_id] = job.status
            self.say(f"{job.type} {job.job_id}: {job.status}")


@attrs.define(eq=False)
class Bars:
    """A bar a job."""

    progress: Progress
    _bars: dict[str, TaskID] = attrs.field(factory=dict)

    def say(self, text: str) -> None:
        """See `Watch`."""
        self.progress.console.print(plain(text), markup=False, highlight=False, emoji=False, soft_wrap=True)

    def show(self, job: Job) -> None:
        """See `Watch`."""
        bar = self._bars.get(job.job_id)
        if bar is None:
            bar = self._bars[job.job_id] = self.progress.add_task("", total=100, name=job.type, status="")
        # A job that failed stays below 100; its bar is full all the same, for it is over.
        percent = 100 if job.over else job.progress
        self.progress.update(bar, completed=percent, status=plain(job.status))


@contextmanager
def open_watch() -> Iterator[Watch]:
    """Yields: what suits the terminal, or the lack of one."""
    if not sys.stderr.isatty():
        yield Lines()
        return
    columns = (TextColumn("{task.fields[name]}"), BarColumn(), TextColumn("{task.fields[status]}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield Bars(progress)
