"""F11: Redis is killed while jobs come in. What was acknowledged is there, or as a whole is not, by what it syncs when."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import attrs
import httpx
import pytest

from chef_supervisor.domain.errors import UnknownJob
from chef_supervisor.store.redis_store import RedisJobStore
from tests.integration.store.making import BUILDS, PASSED, a_job
from tests.kit.asking import until_healthy
from tests.kit.deployment import Deployment, tiny_job
from tests.kit.invariants import violations
from tests.kit.redis_servers import REDIS_8, REDIS_62, RedisProcess, running_process
from tests.kit.service import Service

_CALLERS: Final = 16
_ACKNOWLEDGED: Final = 40
# What `everysec` may cost, and the time that the test's own threads take to tell.
_LOSS_S: Final = 2.0


@attrs.define(eq=False)
class Callers:
    """Submit one job after the other until they are told to stop; `told` is when each was acknowledged."""

    service: Service
    told: dict[str, float] = attrs.field(factory=dict)
    _over: threading.Event = attrs.field(factory=threading.Event)
    _enough: threading.Event = attrs.field(factory=threading.Event)

    def call(self) -> None:
        """Runs in a thread."""
        with self.service.client() as client:
            while not self._over.is_set():
                self._note(client.post("/api/jobs", json=tiny_job()))

    def _note(self, answer: httpx.Response) -> None:
        if answer.status_code == httpx.codes.CREATED:
            self.told[answer.json()["jobId"]] = time.monotonic()
        else:
            assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
        if len(self.told) >= _ACKNOWLEDGED:
            self._enough.set()

    @contextmanager
    def calling(self) -> Iterator[None]:
        """Inside, enough jobs were acknowledged, and more come in."""
        threads = [threading.Thread(target=self.call) for _ in range(_CALLERS)]
        for thread in threads:
            thread.start()
        try:
            assert self._enough.wait(60)
            yield
        finally:
            self._over.set()
            for thread in threads:
                thread.join(60)


def kill_under_load(deployment: Deployment, service: Service) -> dict[str, float]:
    """Returns: the jobs that were acknowledged and are gone, with the seconds that they had before the end."""
    callers = Callers(service)
    with callers.calling():
        deployment.redis.kill()
        killed_at = time.monotonic()
    deployment.redis.start()
    until_healthy(service)
    with service.client() as client:
        answers = {job_id: client.get(f"/api/jobs/{job_id}").status_code for job_id in callers.told}
    assert set(answers.values()) <= {httpx.codes.OK, httpx.codes.NOT_FOUND}
    return {job_id: killed_at - callers.told[job_id] for job_id in answers if answers[job_id] != httpx.codes.OK}


def deployment_on(redis: RedisProcess, folder: Path, **env: str) -> Deployment:
    """Returns: one whose supervisors take jobs in and run none."""
    return Deployment(redis, folder, {"NODE_ENV": "test", "CHEF_ROLE": "api", **env})


@pytest.mark.parametrize(
    ("name", "appendfsync", "durability", "loss_s"),
    [
        (REDIS_62, "everysec", "everysec", _LOSS_S),
        (REDIS_8, "everysec", "everysec", _LOSS_S),
        (REDIS_62, "always", "everysec", 0.0),
        (REDIS_8, "always", "everysec", 0.0),
        (REDIS_8, "everysec", "fsync", 0.0),
        (REDIS_8, "always", "fsync", 0.0),
    ],
)
def test_f11_a_killed_redis_loses_no_more_than_is_said(
    tmp_path: Path, name: str, appendfsync: str, durability: str, loss_s: float
) -> None:
    with running_process(name, appendfsync=appendfsync) as redis:
        deployment = deployment_on(redis, tmp_path, CHEF_REDIS_DURABILITY=durability)
        service = deployment.serve()
        for _ in range(3):
            lost = kill_under_load(deployment, service)
            assert [job_id for job_id, age_s in lost.items() if age_s > loss_s or not loss_s] == []
            assert deployment.violations(over=False) == []
        deployment.close()


def test_f11_a_redis_in_memory_alone_loses_all_since_its_snapshot_and_says_so(tmp_path: Path) -> None:
    with running_process(REDIS_8, appendonly="no") as redis:
        deployment = deployment_on(redis, tmp_path, CHEF_REDIS_ALLOW_VOLATILE="true")
        service = deployment.serve()
        kept = deployment.submit_many(service, 10)
        with redis.client() as client:
            client.save()
        deployment.accepted.clear()

        lost = kill_under_load(deployment, service)

        with service.client() as client_of_api:
            codes = [client_of_api.get(f"/api/jobs/{job_id}").status_code for job_id in kept]
        assert codes == [httpx.codes.OK] * len(kept)
        assert len(lost) >= _ACKNOWLEDGED
        assert deployment.violations(over=False) == []
        service.wait_for_event("store.checked", message="a crash of Redis may lose all jobs")
        deployment.close()


@pytest.mark.asyncio
@pytest.mark.parametrize("name", [REDIS_62, REDIS_8])
async def test_f11_what_a_power_cut_takes_from_the_end_of_the_file_is_whole_jobs(name: str, tmp_path: Path) -> None:
    """The machine dies, and the last pages never reached the disk: the file ends anywhere."""
    with running_process(name) as redis:
        store = RedisJobStore(redis.config())
        jobs = [a_job(payload=b"x" * 50) for _ in range(12)]
        for job in jobs:
            await store.submit(job)
        for claim in await store.claim(BUILDS, 6):
            await store.finish(claim.job_id, claim.fence, PASSED)
        redis.kill()
        shutil.copytree(redis.folder, tmp_path / "whole", ignore=shutil.ignore_patterns("socket"))

        left: list[int] = []
        size_bytes = sum(file.stat().st_size for file in _files(tmp_path / "whole"))
        for cut_bytes in range(0, size_bytes, size_bytes // 12 - 1):
            _shorten(redis, tmp_path / "whole", cut_bytes)
            redis.start()
            left.append(sum([await _is_there(store, job.job_id) for job in jobs]))
            with redis.client() as client:
                assert violations(client, ()) == [], f"after a cut of {cut_bytes} bytes"
            redis.kill()
        await store.close()

    assert left[0] == len(jobs)
    assert left[-1] < len(jobs)
    assert left == sorted(left, reverse=True)


def _shorten(redis: RedisProcess, whole: Path, cut_bytes: int) -> None:
    for entry in redis.folder.iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    shutil.copytree(whole, redis.folder, dirs_exist_ok=True)
    [file] = _files(redis.folder)
    with file.open("r+b") as end:
        end.truncate(max(0, file.stat().st_size - cut_bytes))


def _files(folder: Path) -> list[Path]:
    return [*folder.glob("appendonly.aof"), *folder.glob("appendonlydir/*.incr.aof")]


async def _is_there(store: RedisJobStore, job_id: str) -> bool:
    try:
        await store.original(job_id)  # type: ignore[arg-type]
    except UnknownJob:
        return False
    return True
