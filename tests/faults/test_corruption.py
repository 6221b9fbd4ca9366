"""F42 and F43: Redis holds what we did not write, or what a newer version of us wrote. The others' jobs go on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import httpx
import redis

from chef_supervisor.domain.job import JobId, QueueName
from chef_supervisor.store.keys import QueueKeys
from tests.kit.deployment import Deployment
from tests.kit.service import Service, told

KEYS: Final = QueueKeys("chef", QueueName("builds"))


def queued(deployment: Deployment, count: int = 3) -> tuple[Service, list[JobId]]:
    """Returns: a process that takes jobs in and runs none, and jobs that wait."""
    inlet = deployment.serve("inlet", CHEF_ROLE="api")
    return inlet, [JobId(deployment.submit(inlet)) for _ in range(count)]


def get(service: Service, path: str) -> httpx.Response:
    with service.client() as client:
        return client.get(path)


def others_run(deployment: Deployment, others: list[JobId]) -> Service:
    """Returns: a supervisor that has run them, and one more that came later."""
    service = deployment.serve()
    for job in service.results_of([*others, deployment.submit(service)]):
        assert job["status"] == "completed", told(job)
    return service


def test_f42_a_payload_that_cannot_be_read_fails_its_job_and_no_other(deployment: Deployment) -> None:
    _, [broken, *others] = queued(deployment)
    with deployment.redis.client() as client:
        client.set(KEYS.payload(broken), b"\x01 no deflate stream")

    service = others_run(deployment, others)

    job = service.result_of(broken)
    assert (job["status"], job["cause"]) == ("failed", "infrastructure"), told(job)
    assert deployment.violations() == []


def test_f42_a_result_that_cannot_be_read_is_told_and_the_queue_goes_on(deployment: Deployment) -> None:
    _, [broken, *others] = queued(deployment)
    service = others_run(deployment, others)
    service.result_of(broken)
    with deployment.redis.client() as client:
        client.set(KEYS.result(broken), b"\x01 no deflate stream")

    answer = get(service, f"/api/jobs/{broken}")

    assert answer.status_code == httpx.codes.INTERNAL_SERVER_ERROR
    assert answer.json()["code"] == "corrupt_state"
    assert service.run("build", {"package.json": "{}"})["status"] == "completed"


FOREIGN: Final[tuple[Callable[[redis.Redis, str], object], ...]] = (
    lambda client, key: client.set(key, "no hash"),
    lambda client, key: client.rpush(key, "no", "hash"),
    lambda client, key: client.hset(key, mapping={"status": "no such status", "type": "no such type"}),
    lambda client, key: client.hset(key, mapping={"schema": "no number"}),
    lambda client, key: client.hset(key, mapping={"foreign": "field"}),
)


def plant_foreign(client: redis.Redis) -> list[str]:
    """Returns: names of what is no job, one of each kind in each of the places where jobs are."""
    planted: list[str] = []
    for place in ("pending", "delayed", "active"):
        for write in FOREIGN:
            planted.append("builds.0_" + "abcdefghijklmnop"[len(planted)] * 26)
            write(client, KEYS.job(JobId(planted[-1])))
            client.zadd(KEYS.key(place), {f"000000000000:{planted[-1]}" if place == "pending" else planted[-1]: 0})
    return planted


def test_f42_what_is_no_job_of_ours_does_not_stop_those_that_are(deployment: Deployment) -> None:
    _, jobs = queued(deployment, 2)
    with deployment.redis.client() as client:
        planted = plant_foreign(client)

    service = others_run(deployment, jobs)

    answers = [get(service, f"/api/jobs/{foreign}") for foreign in planted]
    assert {answer.json()["code"] for answer in answers} == {"not_found", "corrupt_state"}
    assert get(service, "/api/stats").status_code == httpx.codes.OK
    assert not [record for record in service.records if record.get("event") == "actor.crashed"]


def test_f43_a_job_of_a_newer_version_waits_for_a_newer_supervisor_and_others_run(deployment: Deployment) -> None:
    _, [newer, *others] = queued(deployment)
    with deployment.redis.client() as client:
        schema = client.hget(KEYS.job(newer), "schema")
        client.hset(KEYS.job(newer), "schema", "99")

        service = others_run(deployment, others)
        with service.client() as api:
            counts = api.get("/api/stats").json()["queues"]["builds"]
            state = api.get(f"/api/jobs/{newer}").json()
        # A newer supervisor would know it; to this one it is known again.
        client.hset(KEYS.job(newer), "schema", schema or "2")

    # Looked at and left alone, it steps aside for some seconds.
    assert counts["waiting"] + counts["delayed"] == 1
    assert (state["status"], state["runs"]) == ("pending", 0)
    assert service.result_of(newer)["status"] == "completed"
    assert deployment.violations() == []
