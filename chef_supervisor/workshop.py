"""Where a job is done: its files planned by the engine, its boxes run by the sandbox, its outcome read from them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from typing import Final, ParamSpec, TypeVar

import attrs

from chef_supervisor.artifacts.keeping import Keeping, received, with_kept
from chef_supervisor.artifacts.receiver import Receiver
from chef_supervisor.domain.errors import SandboxUnavailable, SecretsUnreadable
from chef_supervisor.domain.job import Claim, JobStatus
from chef_supervisor.domain.outcome import Cause, Outcome, Result, Verdict
from chef_supervisor.domain.payload import unpack
from chef_supervisor.domain.toolchain import Toolchain
from chef_supervisor.domain.work import BoxEvent, Work
from chef_supervisor.engine.outcome import needs_retry, outcome_of
from chef_supervisor.engine.plan import Budget, Plan, plan
from chef_supervisor.engine.record import Record
from chef_supervisor.engine.result_key import result_key
from chef_supervisor.engine.summary import clip
from chef_supervisor.installing import DependenciesGone, Installer, Ready, Tell
from chef_supervisor.recall import Recall
from chef_supervisor.sandboxes.sandbox import BoxOrder, Limits, Role
from chef_supervisor.sandboxes.watched import WatchedSandbox
from chef_supervisor.settings import FileLimits
from chef_supervisor.unpacking import Whole, whole

P = ParamSpec("P")
T = TypeVar("T")
# Planning or reading more than this would hold up every heartbeat of the process for a while.
_QUICK_BYTES: Final = 256 << 10
# Dependencies that are gone are installed anew, once.
_TRIES: Final = 2


@attrs.frozen
class Spoilt:
    """The infrastructure failed and not the project: nothing is known of the job."""

    reason: str


@attrs.frozen
class Onlooker:
    """
    Who is told how a run goes on; both calls return at once.

    `tell_percent` gets 0..99 as steps begin and end; `hear` every event of a box, with the work that was given to it.
    """

    tell_percent: Callable[[int], None]
    hear: Callable[[Work, BoxEvent], None]


@attrs.frozen(kw_only=True)
class Workshop:
    """What all runners of a process share."""

    sandbox: WatchedSandbox
    toolchains: Sequence[Toolchain]
    budget: Budget
    job_limits: Limits
    file_limits: FileLimits
    installer: Installer
    artifacts: Keeping = attrs.field(factory=Keeping)
    recall: Recall = attrs.field(factory=Recall)

    async def perform(self, claim: Claim, onlooker: Onlooker) -> Outcome | Spoilt:
        """
        Do the job; cancelled, it takes its boxes along.

        Returns: Spoilt where nothing is known of the job, because the infrastructure failed.
        """
        try:
            return await self._perform(claim, onlooker)
        except SandboxUnavailable as error:
            return Spoilt(error.reason)
        except SecretsUnreadable as error:
            return _unreadable(error)

    async def _perform(self, claim: Claim, onlooker: Onlooker) -> Outcome | Spoilt:
        size = len(claim.payload)
        asked = await _quickly(size, unpack, claim.payload)
        project = await whole(asked, self.file_limits, self.sandbox, self._unpack_order(claim))
        if isinstance(project, Outcome):
            return project
        size += sum(map(len, project.assignment.files.values()))
        budget = self.budget.asked(claim.options)
        planned = await _quickly(size, plan, claim.type, project.assignment, self.toolchains, budget)
        if isinstance(planned, Outcome):
            return project.tell(planned)
        if not project.assignment.cache:
            done = await self._run(claim, planned, project.assignment.secrets, onlooker)
        else:
            done = await self._recall_or_run(claim, planned, project, onlooker)
        # What is recalled was told when it was made.
        return done if isinstance(done, Spoilt) or done.result.cached_from else project.tell(done)

    async def _recall_or_run(self, claim: Claim, planned: Plan, project: Whole, onlooker: Onlooker) -> Outcome | Spoilt:
        key = await self._result_key(claim, planned, project)
        known = await self.recall.outcome(claim, key)
        return (
            known if known is not None else await self._run(claim, planned, project.assignment.secrets, onlooker, key)
        )

    async def _result_key(self, claim: Claim, planned: Plan, project: Whole) -> str:
        # Secrets are seen by an install only, and part of its key.
        install, sealed = planned.install, project.assignment.secrets
        dependencies = "" if install is None else await self.installer.key_of(claim, install, sealed)
        where = {"tenant": claim.tenant, "place": await self.sandbox.shelf.identity(), "dependencies": dependencies}
        size = sum(map(len, planned.run.files.values()))
        return await _quickly(size, partial(result_key, planned, warnings=project.warnings, **where))

    async def _run(
        self, claim: Claim, planned: Plan, sealed: bytes, onlooker: Onlooker, key: str = ""
    ) -> Outcome | Spoilt:
        record = Record(planned)
        async with self.artifacts.receiving(claim.job_id) as receiver:
            tell = partial(_tell, record, receiver, onlooker)
            await self._run_boxes(claim, planned, sealed, record, tell)
        if needs_retry(record):
            return Spoilt("the box was ended from outside")
        outcome = with_kept(await _quickly(record.weight_bytes, outcome_of, planned, record), receiver)
        # What lacks artifacts only because they could not be kept stands for no other.
        if key and (receiver is None or receiver.trouble is None):
            await self.recall.remember(claim, key, outcome)
        return outcome

    async def _run_boxes(self, claim: Claim, planned: Plan, sealed: bytes, record: Record, tell: Tell) -> None:
        if planned.install is None:
            await self._audit(claim, planned, record)
            async with self.sandbox.box(self._order(claim, Role.JOB), None) as box:
                await tell(record.run.work, box.run(self.artifacts.bounded(record.run.work)))
            return
        for _ in range(_TRIES):
            async with self.installer.ready(claim, planned.install, sealed, record, tell) as ready:
                if ready is None:
                    return
                try:
                    await self._audit(claim, planned, record)
                    await self._run_box(claim, planned, ready, record, tell)
                except DependenciesGone:
                    self.installer.forget(ready)
                else:
                    return
        raise SandboxUnavailable("dependencies are gone as soon as they are installed; who removes them?")

    async def _run_box(self, claim: Claim, planned: Plan, ready: Ready, record: Record, tell: Tell) -> None:
        work = self.artifacts.bounded(ready.work(planned.run))
        async with self.sandbox.box(self._order(claim, Role.JOB), ready.dependencies) as box:
            await tell(record.run.work, ready.heard(box.run(work)))

    async def _audit(self, claim: Claim, planned: Plan, record: Record) -> None:
        if planned.analysis is None or (audit := planned.analysis.audit) is None:
            return
        order = attrs.evolve(self._order(claim, Role.INSTALL), name=f"chef-audit-{claim.job_id}-{claim.run.number}")
        # No place of dependencies here: the certificates lie where the manifests do.
        async with self.sandbox.box(order, None) as box:
            async for event in box.run(self.installer.trusting(audit, audit.root)):
                record.add_audited(event)

    def _order(self, claim: Claim, role: Role) -> BoxOrder:
        prefix = "chef" if role is Role.JOB else "chef-install"
        return BoxOrder(
            name=f"{prefix}-{claim.job_id}-{claim.run.number}",
            role=role,
            limits=self.installer.limits if role is Role.INSTALL else self.job_limits,
            labels={"chef.job": claim.job_id, "chef.run": str(claim.run.number)},
        )

    def _unpack_order(self, claim: Claim) -> BoxOrder:
        return attrs.evolve(self._order(claim, Role.JOB), name=f"chef-unpack-{claim.job_id}-{claim.run.number}")


async def _tell(
    record: Record, receiver: Receiver | None, onlooker: Onlooker, work: Work, events: AsyncIterator[BoxEvent]
) -> None:
    async for event in received(events, receiver):
        record.add(event)
        onlooker.hear(work, event)
        onlooker.tell_percent(record.percent)


def _unreadable(error: SecretsUnreadable) -> Outcome:
    message = f"{error}."
    result = Result(
        verdict=Verdict.FAILED, cause=Cause.INFRASTRUCTURE, message=message, summary=clip(f"failed: {message}")
    )
    return Outcome(status=JobStatus.FAILED, result=result)


async def _quickly(size: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    if size <= _QUICK_BYTES:
        return work(*args, **kwargs)
    return await asyncio.to_thread(work, *args, **kwargs)
