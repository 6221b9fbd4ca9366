"""Starts a runner for each job of one queue and says when its slot is free. Holds no result, so it may die any time."""

from __future__ import annotations

import contextlib
import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, assert_never

import attrs

from chef_supervisor.domain.job import Claim, JobId, QueueName, RunId, queue_of
from chef_supervisor.kernel import (
    Actor,
    ActorGone,
    Children,
    ChildSpec,
    Down,
    MailboxFull,
    Ref,
    Restart,
    StartChildren,
)
from chef_supervisor.protocol import DispatcherMessage, EndRun, Holdings, PoolMessage, SlotFreed, StartJobs

log = logging.getLogger("chef.pool")
_ASK_TIMEOUT_S: Final = 10.0
# Orders may overtake the job they are about; most of those kept are about runs of other processes.
_ORDERS_KEPT: Final = 256


@attrs.define(eq=False, kw_only=True)
class Pool(Actor[PoolMessage]):
    """One per queue. The runners of all queues live under one supervisor, so they outlive a restart of their pool."""

    queue: QueueName
    runners: Ref[Any]
    dispatcher: Ref[DispatcherMessage]
    make_runner: Callable[[Claim], Actor[Any]]
    # From a runner's stop to its cancellation: its grace, and what it takes to put a job back.
    runner_shutdown_s: float
    _running: dict[RunId, Ref[Any]] = attrs.field(factory=dict, init=False)
    # Runs that were ended and that nobody had here, or not yet.
    _ended: deque[RunId] = attrs.field(factory=lambda: deque(maxlen=_ORDERS_KEPT), init=False)

    async def on_start(self) -> None:
        """Adopt the runners that an earlier incarnation started."""
        for ref in await self.runners.ask(Children(), timeout_s=_ASK_TIMEOUT_S):
            if queue_of(_run_of(ref).job_id) == self.queue:
                self._running[_run_of(ref)] = ref
                ref.watch(self.ctx.ref)

    async def receive(self, message: PoolMessage | Down) -> frozenset[RunId] | None:
        """Start jobs, pass on the end of one, answer what is running, or free the slot of a runner that ended."""
        match message:
            case StartJobs(claims):
                await self._start([claim for claim in claims if not self._is_cancelled(claim)])
            case EndRun(run):
                self._pass_on(run, message)
            case Holdings():
                return frozenset(self._running)
            case Down():
                self._bury(message.ref)
            case _:
                assert_never(message)
        return None

    def _is_cancelled(self, claim: Claim) -> bool:
        """Returns: whether it was cancelled while its claim was under way; then its slot is free."""
        if claim.run not in self._ended:
            return False
        extra = {"event": "job.cancelled", "job_id": claim.job_id, "runs": claim.runs}
        log.info("job %s is cancelled; it is not begun", claim.job_id, extra=extra)
        self._free(claim.run)
        return True

    async def _start(self, claims: Sequence[Claim]) -> None:
        specs = tuple(map(self._spec, claims))
        # Before they start: one that ends at once is told of, too.
        for claim, spec in zip(claims, specs, strict=True):
            spec.ref.watch(self.ctx.ref)
            self._running[claim.run] = spec.ref
        refusals: tuple[Exception | None, ...]
        try:
            refusals = await self.runners.ask(StartChildren(specs), timeout_s=_ASK_TIMEOUT_S)
        except (ActorGone, TimeoutError) as refusal:
            refusals = (refusal,) * len(specs)
        for claim, spec, refused in zip(claims, specs, refusals, strict=True):
            if refused is not None:
                self._tell_refused(claim, spec.ref, refused)

    def _spec(self, claim: Claim) -> ChildSpec:
        return ChildSpec(
            Ref(_name(self.runners, claim.run)),
            build=lambda: self.make_runner(claim),
            restart=Restart.TEMPORARY,
            shutdown_s=self.runner_shutdown_s,
        )

    def _tell_refused(self, claim: Claim, ref: Ref[Any], refusal: Exception) -> None:
        # The lease runs out and the job is run again.
        extra = {"event": "runner.refused"}
        log.error("no runner for job %s: %s", claim.job_id, refusal, extra=extra)
        # One that came up after all, too late for the ask, frees its slot when it ends.
        if not ref.running:
            self._free(claim.run)

    def _pass_on(self, run: RunId, order: EndRun) -> None:
        runner = self._running.get(run)
        if runner is None:
            self._ended.append(run)
            return
        # Gone: it is over. Full: it has heard.
        with contextlib.suppress(ActorGone, MailboxFull):
            runner.tell_nowait(order)

    def _bury(self, ref: Ref[Any]) -> None:
        run = _run_of(ref)
        # A Redis that lost its last second gives a number again: then the newer run of that number has the place. One
        # that ended while this pool was restarted, and was never adopted, has its own.
        if self._running.get(run, ref) is ref:
            self._free(run)

    def _free(self, run: RunId) -> None:
        self._running.pop(run, None)
        self.dispatcher.tell_nowait(SlotFreed(self.queue, run))


def _name(runners: Ref[Any], run: RunId) -> str:
    # By the number, which is never given twice: the count of runs falls where one is given back.
    return f"{runners.name}/{run.job_id}/{run.number}"


def _run_of(runner: Ref[Any]) -> RunId:
    _, job_id, number = runner.name.rsplit("/", 2)
    return RunId(JobId(job_id), int(number))
