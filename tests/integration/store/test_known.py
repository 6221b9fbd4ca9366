"""Which jobs are kept: all that have not been forgotten, whatever became of them."""

from __future__ import annotations

import pytest

from chef_supervisor.domain.errors import UnknownJob
from chef_supervisor.domain.job import JobId
from chef_supervisor.store.redis_store import RedisJobStore
from tests.integration.store.making import PASSED, a_job, claim_one, submit

pytestmark = pytest.mark.asyncio


async def test_a_job_is_known_in_every_state_and_others_are_not(store: RedisJobStore) -> None:
    waiting, cancelled, ended = a_job(), a_job(), a_job()
    await submit(store, ended)
    claim = await claim_one(store)
    await store.finish(claim.job_id, claim.fence, PASSED)
    await submit(store, cancelled)
    await store.cancel(cancelled.job_id)
    await submit(store, waiting)
    stranger = a_job()

    known = await store.known([job.job_id for job in (waiting, cancelled, ended, stranger)])

    assert known == {waiting.job_id, cancelled.job_id, ended.job_id}


async def test_nothing_is_known_of_no_job(store: RedisJobStore) -> None:
    assert await store.known([]) == frozenset()


async def test_a_queue_that_this_store_does_not_have_is_refused(store: RedisJobStore) -> None:
    with pytest.raises(UnknownJob):
        await store.known([JobId("elsewhere.0_" + "a" * 26)])
