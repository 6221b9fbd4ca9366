"""
Random histories on a real Redis, step by step beside a model: no job is lost, none is held twice, none ends twice, and
the next one is the right one, whatever is called when, and however the clock jumps.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Coroutine
from typing import Any, TypeVar

import attrs
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from chef_supervisor.domain.job import Claim, Idempotency, JobId, JobStatus, NewJob, new_job_id
from chef_supervisor.store.answers import Blame, JobEvent
from chef_supervisor.store.redis_store import RedisJobStore
from tests.integration.store.making import BUILDS, FAILED, LEASE_MS, PASSED, TIMED_OUT, Clock, a_job
from tests.integration.store.model import Model
from tests.kit.redis_servers import RedisServer

T = TypeVar("T")
WHICH = st.integers(0, 200)
TENANTS = st.sampled_from(["a", "b", "c"])
INSTANCES = ("one", "two")
HOUR_MS = 3_600_000
TEN_YEARS_S = 315_360_000.0


class Histories(RuleBasedStateMachine):
    """Two supervisors on one store."""

    def __init__(self, server: RedisServer) -> None:
        super().__init__()
        self.clock, self.model = Clock(), Model()
        self.loop = asyncio.Runner()
        prefix = f"test-{secrets.token_hex(6)}"
        configs = [server.config(key_prefix=prefix, instance=name, keep_s=TEN_YEARS_S) for name in INSTANCES]
        self.stores = [RedisJobStore(config, now_ms=self.clock) for config in configs]
        # Every claim ever made, so that old ones may try their luck; every request ever made, to be made again.
        self.claims: list[Claim] = []
        self.requests: list[NewJob] = []

    def do(self, call: Coroutine[Any, Any, T]) -> T:
        return self.loop.run(call)

    def a_claim(self, which: int) -> Claim:
        """Returns: most often one of those that hold their jobs; an old one else."""
        holding = [claim for claim in self.claims if self.model.holds(claim)]
        some = holding if holding and which % 4 else self.claims
        return some[which % len(some)]

    @property
    def store(self) -> RedisJobStore:
        return self.stores[0]

    @rule(
        tenant=TENANTS,
        priority=st.sampled_from([1, 5, 5, 5, 20]),
        delay_ms=st.sampled_from([0, 0, 0, 700, 5_000]),
        supersedes=st.booleans(),
        keyed=st.booleans(),
    )
    def submit(self, tenant: str, priority: int, delay_ms: int, *, supersedes: bool, keyed: bool) -> None:
        key = Idempotency(key=secrets.token_hex(4), body_sha256="b") if keyed else None
        job = attrs.evolve(
            a_job(tenant, priority), delay_ms=delay_ms, supersedes=supersedes, idempotency=key, payload=b"{1}"
        )
        self.requests.append(job)

        submitted = self.do(self.store.submit(job))

        assert submitted.superseded == self.model.submit(job, self.clock.ms)
        assert (submitted.state.job_id, submitted.replayed) == (job.job_id, False)

    @precondition(lambda self: self.requests)
    @rule(which=WHICH)
    def submit_again(self, which: int) -> None:
        job = self.requests[which % len(self.requests)]
        again = job if job.idempotency is None else attrs.evolve(job, job_id=_new_id())

        submitted = self.do(self.store.submit(again))

        assert submitted.state.job_id == job.job_id
        assert submitted.replayed == (job.idempotency is not None)

    @precondition(lambda self: self.requests)
    @rule(which=WHICH)
    def retry(self, which: int) -> None:
        """As the API does: a new job of the same content."""
        job = self.requests[which % len(self.requests)]
        original = self.do(self.store.original(job.job_id))
        assert (original.payload, original.tenant) == (b"{1}", job.tenant)
        assert original.status is self.model.jobs[job.job_id].status
        again = attrs.evolve(job, job_id=_new_id(), delay_ms=0, supersedes=False, idempotency=None)
        self.requests.append(again)

        self.do(self.store.submit(again))

        self.model.submit(again, self.clock.ms)

    @rule(slots=st.integers(1, 3), who=st.integers(0, 1))
    def claim(self, slots: int, who: int) -> None:
        expected = self.model.claimable(slots)

        claims = self.do(self.stores[who].claim(BUILDS, slots))

        assert [claim.job_id for claim in claims] == [known.job.job_id for known in expected]
        assert not {claim.run for claim in claims} & {claim.run for claim in self.claims}
        for known, claim in zip(expected, claims, strict=True):
            self.model.claimed(known, claim, INSTANCES[who], self.clock.ms)
            assert (claim.runs, claim.failures) == (known.runs, known.failures)
        self.claims += claims

    @precondition(lambda self: self.claims)
    @rule(which=WHICH, percent=st.integers(0, 120))
    def renew_and_tell(self, which: int, percent: int) -> None:
        claim = self.a_claim(which)
        assert self.do(self.store.renew(claim.job_id, claim.fence)) == self.model.renew(claim, self.clock.ms)
        assert self.do(self.store.progress(claim.job_id, claim.fence, percent)) == self.model.progress(claim, percent)

    @precondition(lambda self: self.claims)
    @rule(which=WHICH, outcome=st.sampled_from([PASSED, FAILED, TIMED_OUT]))
    def finish(self, which: int, outcome: Any) -> None:
        claim = self.a_claim(which)
        assert self.do(self.store.finish(claim.job_id, claim.fence, outcome)) == self.model.finish(claim, outcome)

    @precondition(lambda self: self.claims)
    @rule(which=WHICH)
    def release(self, which: int) -> None:
        claim = self.a_claim(which)
        assert self.do(self.store.release(claim.job_id, claim.fence)) == self.model.release(claim)

    @precondition(lambda self: self.claims)
    @rule(which=WHICH, blame=st.sampled_from(Blame), delay_ms=st.sampled_from([0, 900, 3_000]))
    def postpone(self, which: int, blame: Blame, delay_ms: int) -> None:
        claim = self.a_claim(which)
        postponed = self.do(self.store.postpone(claim.job_id, claim.fence, blame, "why", delay_ms))
        assert postponed is self.model.postpone(claim, blame, delay_ms, self.clock.ms)

    @precondition(lambda self: self.requests)
    @rule(which=WHICH)
    def cancel(self, which: int) -> None:
        job_id = self.requests[which % len(self.requests)].job_id
        self.model.cancel(job_id)
        assert self.do(self.store.cancel(job_id)).status is self.model.jobs[job_id].status

    @rule(ms=st.sampled_from([0, 500, LEASE_MS // 4, LEASE_MS // 4, LEASE_MS // 3]))
    def reap(self, ms: int) -> None:
        self.clock.pass_ms(ms)
        reaped = self.do(self.store.reap(BUILDS, 256))
        late, promoted = self.model.reap(self.clock.ms)
        assert ({*reaped.requeued, *reaped.poisoned}, {*reaped.promoted}) == (late, promoted)
        assert {*reaped.poisoned} == {job_id for job_id in late if self.model.jobs[job_id].cause == "poisoned"}

    @rule(times=st.integers(4, 6))
    def let_leases_end(self, times: int) -> None:
        for _ in range(times):
            self.reap(LEASE_MS // 4)

    @rule(who=st.integers(0, 1))
    def take_back(self, who: int) -> None:
        """A supervisor died, and comes back."""
        reaped = self.do(self.stores[who].take_back(BUILDS))
        held = self.model.take_back(INSTANCES[who], self.clock.ms)
        assert {*reaped.requeued, *reaped.poisoned} == held

    @rule(ms=st.sampled_from([LEASE_MS, HOUR_MS, -HOUR_MS, -700]))
    def jump(self, ms: int) -> None:
        self.clock.pass_ms(ms)

    @invariant()
    def states_are_as_the_model_says(self) -> None:
        for job_id, known in self.model.jobs.items():
            state = self.do(self.store.read(job_id))
            found = (state.status, state.cause, state.runs, state.failures, state.progress, state.due_at_ms)
            assert found == (known.status, known.cause, known.runs, known.failures, known.progress, known.due_ms)

    @invariant()
    def all_that_was_accepted_is_somewhere(self) -> None:
        stats = attrs.asdict(self.do(self.store.stats())[BUILDS])
        jobs = self.model.jobs.values()
        ended = {status.value: 0 for status in JobStatus if status.terminal}
        ended |= Counter(known.status.value for known in jobs if not known.live)
        waiting, delayed = sum(known.ready for known in jobs), sum(known.due_ms is not None for known in jobs)
        active = sum(known.status is JobStatus.PROCESSING for known in jobs)
        assert stats == {"waiting": waiting, "active": active, "delayed": delayed, **ended}

    def teardown(self) -> None:
        try:
            self.each_job_ended_once()
        finally:
            for store in self.stores:
                self.do(store.close())
            self.loop.close()

    def each_job_ended_once(self) -> None:
        ends: Counter[JobId] = Counter()
        position = "0-0"
        while events := self.do(self.store.events(BUILDS, position, 0)):
            ends.update(event.job_id for event in events if isinstance(event, JobEvent) and event.status.terminal)
            position = events[-1].position
        assert ends == {known.job.job_id: 1 for known in self.model.jobs.values() if not known.live}


def _new_id() -> JobId:
    return new_job_id(BUILDS, secrets.token_bytes(16))


def play(server: RedisServer, histories: int, steps: int) -> None:
    class OnThisServer(Histories):
        def __init__(self) -> None:
            super().__init__(server)

    quiet = settings(max_examples=histories, stateful_step_count=steps, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(OnThisServer, settings=quiet)


def test_random_histories_go_as_the_model_says(redis_server: RedisServer) -> None:
    play(redis_server, histories=15, steps=40)


@pytest.mark.slow
def test_many_long_histories_go_as_the_model_says(redis_server: RedisServer) -> None:
    play(redis_server, histories=150, steps=80)
