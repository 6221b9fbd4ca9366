"""Artifacts go with their jobs: never before, and soon after."""

from __future__ import annotations

import asyncio
import logging

import attrs
import pytest
from obstore.store import MemoryStore

from chef_supervisor.actors.archivist import Archivist
from chef_supervisor.artifacts.store import ArtifactStore
from chef_supervisor.domain.artifact_errors import ArtifactsUnavailable
from chef_supervisor.domain.job import JobId, JobType, NewJob, QueueName, Tenant, new_job_id
from chef_supervisor.kernel import Ref
from tests.kit.fake_store import FakeStore
from tests.kit.recording import alone, until
from tests.kit.virtual_time import virtual

QUEUES = (QueueName("builds"), QueueName("tests"))
INTERVAL_S = 1.0


@attrs.define(eq=False, kw_only=True)
class Shelf(ArtifactStore):
    """Only which jobs have something in it. `looks`: when it was listed."""

    there: list[JobId] = attrs.field(factory=list)
    looks: list[float] = attrs.field(factory=list)
    away: bool = False

    async def jobs(self) -> list[JobId]:
        self.looks.append(asyncio.get_running_loop().time())
        if self.away:
            raise ArtifactsUnavailable("made to fail")
        return list(self.there)

    async def remove(self, job_id: JobId) -> None:
        self.there.remove(job_id)


def shelf(store: FakeStore, *there: JobId) -> Shelf:
    return Shelf(objects=MemoryStore(), identity=store.identity, max_bytes=1, max_files=1, there=list(there))


def job(number: int, queue: str = "builds") -> JobId:
    return new_job_id(QueueName(queue), number.to_bytes(16))


async def submit(store: FakeStore, *job_ids: JobId) -> None:
    for job_id in job_ids:
        await store.submit(NewJob(job_id=job_id, type=JobType.BUILD, tenant=Tenant("t"), payload=b""))


async def look(store: FakeStore, artifacts: Shelf, times: int = 1) -> None:
    build = lambda: Archivist(store=store, artifacts=artifacts, queues=QUEUES, interval_s=INTERVAL_S)  # noqa: E731
    async with alone(Ref("archivist"), build):
        await until(lambda: len(artifacts.looks) > times)


@virtual
async def test_artifacts_of_forgotten_jobs_go_and_all_others_stay() -> None:
    store, known = FakeStore(), [job(number) for number in range(150)]
    forgotten = [job(number) for number in range(150, 400)]
    await submit(store, *known)
    await store.claim(QUEUES[0], 10)
    artifacts = shelf(store, *known, *forgotten)

    await look(store, artifacts)

    assert artifacts.there == known


@virtual
async def test_redis_is_asked_in_bounded_steps() -> None:
    store = FakeStore()
    artifacts = shelf(store, *(job(number) for number in range(250)))

    await look(store, artifacts)

    assert store.calls["known"] == 3


@virtual
async def test_jobs_of_queues_that_this_process_does_not_have_are_left_alone() -> None:
    store = FakeStore()
    artifacts = shelf(store, job(1, "elsewhere"), job(1))

    await look(store, artifacts)

    assert artifacts.there == [job(1, "elsewhere")]


@virtual
async def test_it_looks_once_an_interval() -> None:
    artifacts = shelf(FakeStore())

    await look(FakeStore(), artifacts, times=2)

    assert [round(at_s) for at_s in artifacts.looks] == [0, 1, 2]


@virtual
async def test_each_outage_is_told_once_and_waited_out(caplog: pytest.LogCaptureFixture) -> None:
    store = FakeStore()
    artifacts = shelf(store, job(1))
    artifacts.away = True
    build = lambda: Archivist(store=store, artifacts=artifacts, queues=QUEUES, interval_s=INTERVAL_S)  # noqa: E731

    with caplog.at_level(logging.INFO, logger="chef.archivist"):
        async with alone(Ref("archivist"), build):
            await until(lambda: len(artifacts.looks) >= 2)
            artifacts.away, store.away = False, True
            await until(lambda: len(artifacts.looks) >= 4)
            store.away = False
            await until(lambda: not artifacts.there)
            artifacts.away, looks = True, len(artifacts.looks)
            await until(lambda: len(artifacts.looks) >= looks + 2)

    events = [getattr(record, "event", "") for record in caplog.records if record.name == "chef.archivist"]
    assert events == ["artifacts.unavailable", "artifacts.forgotten", "artifacts.unavailable"]
