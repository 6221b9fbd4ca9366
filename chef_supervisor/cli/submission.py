"""The way of one `submit`: gather, send, wait, save, tell."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Final

import attrs

from chef_supervisor.cli.exits import Exit, exit_for
from chef_supervisor.cli.report import print_ids, print_json, print_results
from chef_supervisor.cli.wanted import Wanted, read_project
from chef_supervisor.cli.watching import Watch
from chef_supervisor.client import (
    Archive,
    Client,
    ClientError,
    Files,
    Job,
    LogGap,
    LogText,
    Refused,
    largest,
    shown_url,
)

# Codes of refusals after which it helps to know which files are large.
_TOO_MUCH: Final = frozenset({"payload_too_large", "file_too_large", "too_many_files"})
# The last words of a job come a moment after its end is known.
_LAST_WORDS_S: Final = 10.0


@attrs.define(eq=False)
class Submission:
    """`jobs`: those that are queued, as they were last seen. `unknown`: something could not be found out."""

    wanted: Wanted
    watch: Watch
    jobs: dict[str, Job] = attrs.field(factory=dict)
    unknown: bool = False

    def gather(self) -> Files | Archive:
        """
        Returns: what is to be sent; what of it is left out is told.

        Raises:
            Unfit: it cannot be sent as it is.
        """
        project = read_project(self.wanted.path)
        if isinstance(project, Archive):
            return project
        for note in project.notes:
            self.watch.say(f"note: {note}")
        return project.files

    async def run(self, project: Files | Archive) -> Exit:
        """
        Returns: the exit code.

        Raises:
            Unfit: the address of the service is none.
        """
        async with Client(self.wanted.url, patience_s=self.wanted.patience_s, on_trouble=self._bear) as client:
            sent = await self._send(client, project)
            if sent is Exit.FINE and self.wanted.waits:
                await self._wait(client)
        return self._found() if sent is Exit.FINE else sent

    def where_it_stands(self) -> str:
        """Returns: what to say to somebody who does not want to wait any more."""
        if not self.jobs:
            return "interrupted before a job was known to be queued"
        url = shown_url(self.wanted.url).rstrip("/")
        going_on = [f"  {url}/api/jobs/{job.job_id}" for job in self.jobs.values() if not job.over]
        return "\n".join(["interrupted; the jobs go on, and can be looked at:", *going_on])

    async def _send(self, client: Client, project: Files | Archive) -> Exit:
        wanted = self.wanted
        for job_type in wanted.types:
            try:
                job = await client.submit(job_type, project, chat_id=wanted.chat_id, options=wanted.options)
            except ClientError as error:
                self.watch.say(f"{job_type}: {error}{_hint(error, project)}")
                return exit_for(error)
            # As it was asked for: what the service says of it is no name of a folder.
            self._see(attrs.evolve(job, type=job_type))
        return Exit.FINE

    def _bear(self, trouble: ClientError) -> None:
        self.watch.say(f"{trouble}\ntrying again for up to {self.wanted.patience_s:g} s")

    def _see(self, job: Job) -> None:
        self.jobs[job.job_id] = job
        self.watch.show(job)

    async def _wait(self, client: Client) -> None:
        async with asyncio.TaskGroup() as group:
            for job in list(self.jobs.values()):
                group.create_task(self._attend(client, job))

    async def _attend(self, client: Client, job: Job) -> None:
        async with asyncio.TaskGroup() as group:
            logs = group.create_task(self._follow(client, job)) if self.wanted.logs else None
            await self._see_to_its_end(client, job)
            if logs is not None:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LAST_WORDS_S):
                        await logs

    async def _see_to_its_end(self, client: Client, queued: Job) -> None:
        try:
            await client.wait(queued.job_id, timeout_s=self.wanted.max_wait_s, on_change=self._see)
            if self.wanted.artifacts is not None:
                saved = await client.download(queued.job_id, self._folder(self.wanted.artifacts, queued))
                self.watch.say(f"{queued.type}: {len(saved)} artifacts saved")
        except ClientError as error:
            # It was queued, so what became of it is what nobody knows, whatever the service says of it now.
            self.unknown = True
            self.watch.say(f"{queued.type} {queued.job_id}: {error}")

    def _folder(self, folder: Path, queued: Job) -> Path:
        return folder if len(self.wanted.types) == 1 else folder / queued.type

    async def _follow(self, client: Client, job: Job) -> None:
        try:
            async with aclosing(client.follow(job.job_id)) as events:
                async for event in events:
                    match event:
                        case LogText(text=text):
                            self.watch.say("\n".join(f"{job.type} | {line}" for line in text.splitlines()))
                        case LogGap():
                            self.watch.say(f"{job.type} | (some is left out)")
                        case _:
                            pass
        except ClientError as error:
            # The result tells it again, and more surely.
            self.watch.say(f"{job.type}: its output cannot be followed: {error}")

    def tell(self) -> None:
        """Print what is known of the jobs."""
        jobs = list(self.jobs.values())
        if self.wanted.as_json:
            print_json(jobs)
        elif not self.wanted.waits:
            print_ids(jobs)
        elif jobs:
            print_results(jobs)

    def _found(self) -> Exit:
        if self.unknown:
            return Exit.UNKNOWN
        if not self.wanted.waits or all(job.passed for job in self.jobs.values()):
            return Exit.FINE
        return Exit.FAILED


def _hint(error: ClientError, project: Files | Archive) -> str:
    if not isinstance(error, Refused) or error.code not in _TOO_MUCH or isinstance(project, Archive):
        return ""
    return f"\nOf {len(project)} files, {largest({path: len(content) for path, content in project.items()})}."
