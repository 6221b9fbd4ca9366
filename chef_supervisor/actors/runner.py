"""Runs one job from claim to outcome, and records the outcome itself, so that no result depends on anybody else."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Final, Never

import attrs

from chef_supervisor.domain.errors import SandboxUnavailable, StoreUnavailable
from chef_supervisor.domain.files import ProjectFiles
from chef_supervisor.domain.job import Claim
from chef_supervisor.domain.outcome import Outcome
from chef_supervisor.domain.payload import unpack
from chef_supervisor.domain.toolchain import Toolchain
from chef_supervisor.domain.work import Work
from chef_supervisor.engine.outcome import needs_retry, outcome_of
from chef_supervisor.engine.plan import Budget, Plan, plan
from chef_supervisor.engine.record import Record
from chef_supervisor.kernel import Actor
from chef_supervisor.sandboxes.sandbox import BoxOrder, Dependencies, Limits, Role, Sandbox
from chef_supervisor.store.job_store import JobStore

log = logging.getLogger("chef.runner")
# While Redis is away an outcome is kept and tried again so often; the lease is long gone, but so is everybody's.
_FINISH_RETRY_S: Final = 1.0


@attrs.frozen(kw_only=True)
class Workshop:
    """What every runner works with. `trust` are files and variables that let installs trust the network's own CA."""

    store: JobStore
    sandbox: Sandbox
    toolchains: Sequence[Toolchain]
    budget: Budget
    job_limits: Limits
    install_limits: Limits
    trust_files: ProjectFiles
    trust_env: Mapping[str, str]
    renew_s: float


@attrs.define(eq=False, kw_only=True)
class Runner(Actor[Never]):
    """
    A temporary child: it ends when its job did.

    Told to stop it goes on until its grace is over; then the job is put back without burning the run. A run that the
    infrastructure spoilt is left to its lease: it runs out, and the job is run again, so often and no more.
    """

    claim: Claim
    workshop: Workshop
    _job: asyncio.Task[None] | None = attrs.field(default=None, init=False)
    _fenced: bool = attrs.field(default=False, init=False)
    _percent: int = attrs.field(default=0, init=False)
    _risen: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)

    async def on_start(self) -> None:
        """Begin the job, its heartbeat and its progress."""
        self._job = self.ctx.spawn(self._run(), name="job")
        self.ctx.spawn(self._heartbeat(), name="heartbeat")
        self.ctx.spawn(self._report_progress(), name="progress")

    async def receive(self, message: object) -> None:
        """Nobody tells a runner anything; orders come through the store."""

    async def on_stop(self) -> None:
        """Let the job come to its end; the kernel cancels it when the grace is over."""
        if self._job is not None:
            await asyncio.wait({self._job})

    async def _run(self) -> None:
        try:
            outcome = await self._work()
            if outcome is not None:
                await self._finish(outcome)
        except asyncio.CancelledError:
            if not self._fenced:
                await self._put_back()
            raise
        finally:
            self.ctx.stop()

    async def _work(self) -> Outcome | None:
        """Returns: None where the infrastructure failed and not the project."""
        files = unpack(self.claim.payload)
        planned = plan(self.claim.type, files, self.workshop.toolchains, self.workshop.budget)
        if isinstance(planned, Outcome):
            return planned
        record = Record(planned)
        try:
            await self._run_boxes(planned, record)
        except SandboxUnavailable as error:
            self._log(logging.WARNING, "job.spoilt", f"the run of job %s was spoilt: {error}")
            return None
        if needs_retry(record):
            self._log(logging.WARNING, "job.spoilt", "the run of job %s was spoilt: its box ended from outside")
            return None
        return outcome_of(planned, record)

    async def _run_boxes(self, planned: Plan, record: Record) -> None:
        async with AsyncExitStack() as stack:
            dependencies: Dependencies | None = None
            if planned.install is not None:
                place = self.workshop.sandbox.dependencies(f"{self.claim.job_id}-{self.claim.runs}")
                dependencies = await stack.enter_async_context(place)
                await self._run_box(Role.INSTALL, self._trusting(planned.install), dependencies, record)
                if record.install_failed:
                    return
            await self._run_box(Role.JOB, planned.run, dependencies, record)

    async def _run_box(self, role: Role, work: Work, dependencies: Dependencies | None, record: Record) -> None:
        limits = self.workshop.install_limits if role is Role.INSTALL else self.workshop.job_limits
        prefix = "chef" if role is Role.JOB else "chef-install"
        order = BoxOrder(
            name=f"{prefix}-{self.claim.job_id}-{self.claim.runs}",
            role=role,
            limits=limits,
            labels={"chef.job": self.claim.job_id, "chef.run": str(self.claim.runs)},
        )
        async with self.workshop.sandbox.box(order, dependencies) as box:
            async for event in box.run(work):
                record.add(event)
                self._raise_progress(record.percent)

    def _trusting(self, install: Work) -> Work:
        return attrs.evolve(
            install,
            files=install.files | self.workshop.trust_files,
            env={**install.env, **self.workshop.trust_env},
        )

    def _raise_progress(self, percent: int) -> None:
        if percent > self._percent:
            self._percent = percent
            self._risen.set()

    async def _report_progress(self) -> None:
        while True:
            await self._risen.wait()
            # Cleared before the call: a rise during it is told after it, and what lies between is not.
            self._risen.clear()
            try:
                await self.workshop.store.progress(self.claim.job_id, self.claim.fence, self._percent)
            except StoreUnavailable as error:
                log.debug("progress of %s was not told: %s", self.claim.job_id, error)

    async def _heartbeat(self) -> None:
        while True:
            await asyncio.sleep(self.workshop.renew_s)
            try:
                ours = await self.workshop.store.renew(self.claim.job_id, self.claim.fence)
            except StoreUnavailable as error:
                # Kept: the project's code has no network, so a second run elsewhere harms nobody.
                log.debug("lease of %s was not renewed: %s", self.claim.job_id, error)
                continue
            if not ours and self._job is not None:
                self._fenced = True
                self._job.cancel()
                return

    async def _finish(self, outcome: Outcome) -> None:
        while True:
            try:
                ours = await self.workshop.store.finish(self.claim.job_id, self.claim.fence, outcome)
            except StoreUnavailable as error:
                log.warning("outcome of %s is kept: %s", self.claim.job_id, error, extra={"event": "store.unavailable"})
                await asyncio.sleep(_FINISH_RETRY_S)
                continue
            self._tell_end(outcome, ours=ours)
            return

    def _tell_end(self, outcome: Outcome, *, ours: bool) -> None:
        if not ours:
            self._log(logging.WARNING, "job.fenced", "job %s belongs to another run; this outcome is dropped")
            return
        self._log(
            logging.INFO, f"job.{outcome.status}", f"job %s {outcome.status}", verdict=str(outcome.result.verdict)
        )

    async def _put_back(self) -> None:
        try:
            if await self.workshop.store.release(self.claim.job_id, self.claim.fence):
                self._log(logging.INFO, "job.pending", "job %s is put back")
        except StoreUnavailable as error:
            log.warning("job %s could not be put back; its lease runs out: %s", self.claim.job_id, error)

    def _log(self, level: int, event: str, sentence: str, **extra: str) -> None:
        log.log(
            level,
            sentence,
            self.claim.job_id,
            extra={"event": event, "job_id": self.claim.job_id, "runs": self.claim.runs, **extra},
        )
