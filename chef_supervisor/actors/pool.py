"""Starts a runner for each job of one queue and says when its slot is free. Holds no result, so it may die any time."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final, assert_never

import attrs

from chef_supervisor.domain.job import Claim, JobId, QueueName, queue_of
from chef_supervisor.kernel import Actor, ActorGone, Children, ChildSpec, Down, Ref, Restart, StartChild, StartFailed
from chef_supervisor.protocol import DispatcherMessage, Holdings, PoolMessage, SlotFreed, StartJob

log = logging.getLogger("chef.pool")
_ASK_TIMEOUT_S: Final = 10.0


@attrs.define(eq=False, kw_only=True)
class Pool(Actor[PoolMessage]):
    """One per queue. The runners of all queues live under one supervisor, so they outlive a restart of their pool."""

    queue: QueueName
    runners: Ref[Any]
    dispatcher: Ref[DispatcherMessage]
    make_runner: Callable[[Claim], Actor[Any]]
    # From a runner's stop to its cancellation: its grace, and what it takes to put a job back.
    runner_shutdown_s: float
    _running: dict[str, JobId] = attrs.field(factory=dict, init=False)

    async def on_start(self) -> None:
        """Adopt the runners that an earlier incarnation started."""
        for ref in await self.runners.ask(Children(), timeout_s=_ASK_TIMEOUT_S):
            if queue_of(_job_of(ref)) == self.queue:
                self._running[ref.name] = _job_of(ref)
                ref.watch(self.ctx.ref)

    async def receive(self, message: PoolMessage | Down) -> frozenset[JobId] | None:
        """Start a job, answer what is running, or free the slot of a runner that ended."""
        match message:
            case StartJob(claim):
                await self._start(claim)
            case Holdings():
                return frozenset(self._running.values())
            case Down():
                # Also of one that ended while this pool was restarted, and was never adopted.
                self._running.pop(message.ref.name, None)
                self._free(_job_of(message.ref))
            case _:
                assert_never(message)
        return None

    async def _start(self, claim: Claim) -> None:
        ref: Ref[Any] = Ref(f"{self.runners.name}/{claim.job_id}/{claim.runs}")
        spec = ChildSpec(
            ref, build=lambda: self.make_runner(claim), restart=Restart.TEMPORARY, shutdown_s=self.runner_shutdown_s
        )
        # Before it starts: one that ends at once is told of, too.
        ref.watch(self.ctx.ref)
        self._running[ref.name] = claim.job_id
        try:
            await self.runners.ask(StartChild(spec), timeout_s=_ASK_TIMEOUT_S)
        except (StartFailed, ActorGone, TimeoutError) as refusal:
            # The lease runs out and the job is run again.
            log.error("no runner for job %s: %s", claim.job_id, refusal, extra={"event": "runner.refused"})  # noqa: TRY400
            # One that came up after all, too late for the ask, frees its slot when it ends.
            if not ref.running:
                del self._running[ref.name]
                self._free(claim.job_id)

    def _free(self, job_id: JobId) -> None:
        self.dispatcher.tell_nowait(SlotFreed(self.queue, job_id))


def _job_of(runner: Ref[Any]) -> JobId:
    return JobId(runner.name.split("/")[-2])
