"""Where a job is done: its files planned by the engine, its boxes run by the sandbox, its outcome read from them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
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
class _Run:
    """One run of a job. `behind` gets what its last box leaves to be removed."""

    claim: Claim
    planned: Plan
    sealed: bytes = attrs.field(repr=False)
    onlooker: Onlooker
    behind: AsyncExitStack


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

    @asynccontextmanager
    async def performed(self, claim: Claim, onlooker: Onlooker) -> AsyncIterator[Outcome | Spoilt]:
        """
        Do the job; cancelled, it takes its boxes along.

        Yields: what became of it, as soon as that is known: its last box is removed when the context is left. Spoilt
            where nothing is known of the job, because the infrastructure failed.
        """
        async with AsyncExitStack() as behind:
            yield await self._done(claim, onlooker, behind)

    async def _done(self, claim: Claim, onlooker: Onlooker, behind: AsyncExitStack) -> Outcome | Spoilt:
        try:
            return await self._perform(claim, onlooker, behind)
        except SandboxUnavailable as error:
            await behind.aclose()
            return Spoilt(error.reason)
        except SecretsUnreadable as error:
            return _unreadable(error)

    async def _perform(self, claim: Claim, onlooker: Onlooker, behind: AsyncExitStack) -> Outcome | Spoilt:
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
        run = _Run(claim=claim, planned=planned, sealed=project.assignment.secrets, onlooker=onlooker, behind=behind)
        done = await (self._recall_or_run(run, project) if project.assignment.cache else self._run(run))
        # What is recalled was told when it was made.
        return done if isinstance(done, Spoilt) or done.result.cached_from else project.tell(done)

    async def _recall_or_run(self, run: _Run, project: Whole) -> Outcome | Spoilt:
        key = await self._result_key(run.claim, run.planned, project)
        known = await self.recall.outcome(run.claim, key)
        return known if known is not None else await self._run(run, key)

    async def _result_key(self, claim: Claim, planned: Plan, project: Whole) -> str:
        # Secrets are seen by an install only, and part of its key.
        install, sealed = planned.install, project.assignment.secrets
        dependencies = "" if install is None else await self.installer.key_of(claim, install, sealed)
        where = {"tenant": claim.tenant, "place": await self.sandbox.shelf.identity(), "dependencies": dependencies}
        size = sum(map(len, planned.run.files.values()))
        return await _quickly(size, partial(result_key, planned, warnings=project.warnings, **where))

    async def _run(self, run: _Run, key: str = "") -> Outcome | Spoilt:
        record = Record(run.planned)
        async with self.artifacts.receiving(run.claim.job_id) as receiver:
            await self._run_boxes(run, record, partial(_tell, record, receiver, run.onlooker))
        if not record.current.whole:
            # It has said nothing of its end, and may still be at work.
            await run.behind.aclose()
        if needs_retry(record):
            return Spoilt("the box was ended from outside")
        outcome = with_kept(await _quickly(record.weight_bytes, outcome_of, run.planned, record), receiver)
        # What lacks artifacts only because they could not be kept stands for no other.
        if key and (receiver is None or receiver.trouble is None):
            await self.recall.remember(run.claim, key, outcome)
        return outcome

    async def _run_boxes(self, run: _Run, record: Record, tell: Tell) -> None:
        install = run.planned.install
        if install is None:
            await self._audit(run, record)
            box = await run.behind.enter_async_context(self.sandbox.box(self._order(run.claim, Role.JOB), None))
            await tell(record.run.work, box.run(self.artifacts.bounded(record.run.work)))
            return
        for _ in range(_TRIES):
            async with AsyncExitStack() as attempt:
                installed = self.installer.ready(run.claim, install, run.sealed, record, tell)
                ready = await attempt.enter_async_context(installed)
                if ready is None or await self._run_on(ready, run, record, tell, attempt):
                    run.behind.push_async_exit(attempt.pop_all())
                    return
        raise SandboxUnavailable("dependencies are gone as soon as they are installed; who removes them?")

    async def _run_on(self, ready: Ready, run: _Run, record: Record, tell: Tell, attempt: AsyncExitStack) -> bool:
        """Returns: whether the dependencies were there."""
        await self._audit(run, record)
        order, work = self._order(run.claim, Role.JOB), self.artifacts.bounded(ready.work(run.planned.run))
        box = await attempt.enter_async_context(self.sandbox.box(order, ready.dependencies))
        try:
            await tell(record.run.work, ready.heard(box.run(work)))
        except DependenciesGone:
            self.installer.forget(ready)
            return False
        return True

    async def _audit(self, run: _Run, record: Record) -> None:
        analysis = run.planned.analysis
        if analysis is None or (audit := analysis.audit) is None:
            return
        name = f"chef-audit-{run.claim.job_id}-{run.claim.run.number}"
        order = attrs.evolve(self._order(run.claim, Role.INSTALL), name=name)
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
