"""Where a job is done: its files planned by the engine, its boxes run by the sandbox, its outcome read from them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Final, ParamSpec, TypeVar

import attrs

from chef_supervisor.domain.errors import SandboxUnavailable
from chef_supervisor.domain.files import ProjectFiles
from chef_supervisor.domain.job import Claim
from chef_supervisor.domain.outcome import Outcome
from chef_supervisor.domain.payload import unpack
from chef_supervisor.domain.toolchain import Toolchain
from chef_supervisor.domain.work import Work
from chef_supervisor.engine.outcome import needs_retry, outcome_of
from chef_supervisor.engine.plan import Budget, Plan, plan
from chef_supervisor.engine.record import Record
from chef_supervisor.sandboxes.sandbox import BoxOrder, Dependencies, Limits, Role
from chef_supervisor.sandboxes.watched import WatchedSandbox

P = ParamSpec("P")
T = TypeVar("T")
# Planning or reading more than this would hold up every heartbeat of the process for a while.
_QUICK_BYTES: Final = 256 << 10


@attrs.frozen
class Spoilt:
    """The infrastructure failed and not the project: nothing is known of the job."""

    reason: str


@attrs.frozen(kw_only=True)
class Workshop:
    """What all runners of a process share. `trust` makes installs trust the network's own certificates."""

    sandbox: WatchedSandbox
    toolchains: Sequence[Toolchain]
    budget: Budget
    job_limits: Limits
    install_limits: Limits
    trust_files: ProjectFiles
    trust_env: Mapping[str, str]

    async def perform(self, claim: Claim, tell_percent: Callable[[int], None]) -> Outcome | Spoilt:
        """
        Do the job; cancelled, it takes its boxes along. `tell_percent` is called with 0..99 as steps begin and end.

        Returns: Spoilt where nothing is known of the job, because the infrastructure failed.
        """
        size = len(claim.payload)
        files = await _quickly(size, unpack, claim.payload)
        budget = self.budget.asked(claim.options)
        planned = await _quickly(size, plan, claim.type, files, self.toolchains, budget)
        if isinstance(planned, Outcome):
            return planned
        record = Record(planned)
        try:
            await self._run_boxes(claim, planned, record, tell_percent)
        except SandboxUnavailable as error:
            return Spoilt(error.reason)
        if needs_retry(record):
            return Spoilt("the box was ended from outside")
        return await _quickly(sum(map(len, record.reports.values())), outcome_of, planned, record)

    async def _run_boxes(
        self, claim: Claim, planned: Plan, record: Record, tell_percent: Callable[[int], None]
    ) -> None:
        async with AsyncExitStack() as stack:
            dependencies: Dependencies | None = None
            if planned.install is not None:
                place = self.sandbox.dependencies(f"{claim.job_id}-{claim.run.number}", claim.run)
                dependencies = await stack.enter_async_context(place)
                install = self._trusting(planned.install)
                await self._run_box(self._order(claim, Role.INSTALL), install, dependencies, record, tell_percent)
                if record.install_failed:
                    return
            await self._run_box(self._order(claim, Role.JOB), planned.run, dependencies, record, tell_percent)

    async def _run_box(
        self,
        order: BoxOrder,
        work: Work,
        dependencies: Dependencies | None,
        record: Record,
        tell_percent: Callable[[int], None],
    ) -> None:
        async with self.sandbox.box(order, dependencies) as box:
            async for event in box.run(work):
                record.add(event)
                tell_percent(record.percent)

    def _order(self, claim: Claim, role: Role) -> BoxOrder:
        prefix = "chef" if role is Role.JOB else "chef-install"
        return BoxOrder(
            name=f"{prefix}-{claim.job_id}-{claim.run.number}",
            role=role,
            limits=self.install_limits if role is Role.INSTALL else self.job_limits,
            labels={"chef.job": claim.job_id, "chef.run": str(claim.run.number)},
        )

    def _trusting(self, install: Work) -> Work:
        files, env = install.files | self.trust_files, {**install.env, **self.trust_env}
        return attrs.evolve(install, files=files, env=env)


async def _quickly(size: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    if size <= _QUICK_BYTES:
        return work(*args, **kwargs)
    return await asyncio.to_thread(work, *args, **kwargs)
