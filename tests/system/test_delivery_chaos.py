"""
Thousands of ends of jobs, told to receivers that fail in every way there is, while supervisors and Redis are killed.

What is judged is the whole history of what the receivers were sent, and what the service tells of it.
"""

from __future__ import annotations

import random
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import attrs
import httpx
import pytest

from tests.kit import delivery_judge as judge
from tests.kit.delivery_crew import Crew, crew
from tests.kit.delivery_load import Load
from tests.kit.hurried_service import escaped
from tests.kit.illnesses import BY_NAME
from tests.kit.sick_receivers import DOMAIN, HEALTHY, INCURABLE_EVERY, SickReceivers, sick_receivers

_CRASHES: Final = frozenset({"actor.crashed", "delivery.crashed"})
_LOOK_S: Final = 0.1
# After the last kill: leases that run out, schedules to their end, on a machine that does other things as well.
_CALM_WITHIN_S: Final = 120.0
# What a supervisor may need beyond what it needs at its start: an endless answer that it reads passes this in a second.
_MOST_GROWTH_KB: Final = 150_000


@attrs.frozen(kw_only=True)
class Chaos:
    """One run: half as many jobs as `events`, for each is told to two."""

    seed: int
    events: int
    kills: int
    hosts: int
    ahead: int

    @property
    def jobs(self) -> int:
        return self.events // 2

    def moments(self, chance: random.Random) -> Sequence[int]:
        """Returns: after how many tries each kill comes: one in each of as many equal parts of the events."""
        part = self.events // self.kills
        return [part * number + chance.randrange(part) for number in range(self.kills)]


def run(chaos: Chaos, folder: Path) -> None:
    chance, began_s = random.Random(chaos.seed), time.monotonic()
    with sick_receivers(chaos.seed, folder) as receivers, crew(receivers, folder, chance) as one:
        load = Load(crew=one, receivers=receivers, hosts=chaos.hosts, ahead=chaos.ahead)
        with ThreadPoolExecutor(1) as pool:
            submitting = pool.submit(load.submit, chaos.jobs)
            submitting.add_done_callback(lambda _: receivers.record.wake())
            for moment in chaos.moments(chance):
                _wait(receivers, moment, submitting)
                one.strike()
            submitting.result()
        hosts = {number: f"callback.sick-{number % chaos.hosts}.{DOMAIN}" for number in load.accepted}
        with httpx.Client(base_url=one.urls[0], timeout=60, verify=False) as client:
            jobs = _settled(client, load)
            found = judge.misreported(receivers.record, jobs)
            given_up = _cured(client, receivers, jobs)
            jobs = _settled(client, load)
        found += [f"{job['jobId']} is not all delivered: {job['deliveries']}" for job in jobs.values() if _open(job)]
        found += [*judge.violations(receivers.record), *judge.untold(receivers.record, load.accepted, hosts)]
        one.measure()
        _tell(chaos, one, receivers, given_up, time.monotonic() - began_s)
    found += one.fallen + _of_the_log(one)
    assert not found, "\n".join(found[:50])
    assert len(load.accepted) == chaos.jobs
    assert one.kills.total() == chaos.kills
    # All of it happened: else the test would show less than it says.
    assert {told.answer for told in receivers.record.tries} == set(BY_NAME)
    assert {"refused_by_policy", "unknown_host", "dns_failed"} <= set(_reasons(one))
    # Each job of a receiver that takes nothing is among them.
    assert given_up >= len(range(0, chaos.jobs, INCURABLE_EVERY))
    assert one.peak_kb - one.start_kb < _MOST_GROWTH_KB
    # Kills and a busy machine delay both; the sick delay themselves alone. Where they share what they may be asked at a
    # time, the healthy one is as late as they are.
    well, sick = (judge.delays_s(receivers.record, name) for name in (HEALTHY, "callback."))
    assert statistics.median(well) < statistics.median(sick)
    assert _p95(well) < _p95(sick)


def _wait(receivers: SickReceivers, tries: int, submitting: Future[None]) -> None:
    """Wait until so many tries arrived; where jobs are not accepted any more, that is the error."""
    record = receivers.record
    record.wait_for(lambda: len(record.tries) >= tries or (submitting.done() and bool(submitting.exception())), 120)
    if submitting.done():
        submitting.result()


def _settled(client: httpx.Client, load: Load) -> Mapping[int, dict[str, Any]]:
    """Wait until all is delivered or given up. Returns: the jobs by their numbers."""
    until_s = time.monotonic() + _CALM_WITHIN_S
    while _waiting(client) and time.monotonic() < until_s:
        threading.Event().wait(_LOOK_S)
    return {number: load.ask(client, 0, "GET", f"/api/jobs/{job_id}") for number, job_id in load.accepted.items()}


def _waiting(client: httpx.Client) -> bool:
    answer = client.get("/api/stats")
    stats = answer.json()
    return (
        answer.status_code != httpx.codes.OK
        or stats["deliveries"]["waiting"] > 0
        or any(queue["waiting"] or queue["active"] for queue in stats["queues"].values())
    )


def _open(job: Mapping[str, Any]) -> bool:
    return any(told["status"] != "delivered" for told in job["deliveries"])


def _cured(client: httpx.Client, receivers: SickReceivers, jobs: Mapping[int, dict[str, Any]]) -> int:
    """Cure all receivers and have them told by hand what they did not take. Returns: how many ends that is."""
    receivers.well.touch()
    lanes = [(job["jobId"], told) for job in jobs.values() for told in job["deliveries"]]
    given_up = [(job_id, told["receiver"]) for job_id, told in lanes if told["status"] == "undeliverable"]
    for job_id, receiver in given_up:
        answer = client.post(f"/api/jobs/{job_id}/redeliver", json={"receiver": receiver})
        assert answer.status_code == httpx.codes.ACCEPTED, answer.text
    return len(given_up)


def _of_the_log(one: Crew) -> list[str]:
    records = [record for service in one.past for record in service.records]
    return [str(record) for record in records if escaped(record) or record.get("event") in _CRASHES]


def _p95(delays_s: Sequence[float]) -> float:
    return statistics.quantiles(delays_s, n=20)[-1]


def _tell(chaos: Chaos, one: Crew, receivers: SickReceivers, given_up: int, took_s: float) -> None:
    """For whoever runs it with -s, and for whoever must find out why it failed."""
    tries = receivers.record.tries
    lines = [
        f"seed {chaos.seed}, {took_s:.0f} s, kills {dict(one.kills)}",
        f"{chaos.events} ends, {len(tries)} tries arrived, {given_up} given up and sent again by hand",
        f"answers: {dict(Counter(told.answer for told in tries).most_common())}",
        f"failures that were told of: {dict(_reasons(one).most_common())}",
        f"memory of a supervisor: {one.start_kb // 1024} MiB at its start, {one.peak_kb // 1024} MiB at most",
    ]
    for name in (HEALTHY, "callback."):
        delays_s = judge.delays_s(receivers.record, name)
        lines.append(f"delay at {name}: p50 {statistics.median(delays_s):.2f} s, p95 {_p95(delays_s):.2f} s")
    sys.stdout.write("\n".join(["", *lines, ""]))


def _reasons(one: Crew) -> Counter[str]:
    records = [record for service in one.past for record in service.records]
    return Counter(record["reason"] for record in records if record.get("event") == "delivery.failed")


@pytest.mark.timeout(240)
def test_500_ends_reach_receivers_that_fail_at_random_while_all_is_killed_now_and_then(tmp_path: Path) -> None:
    run(Chaos(seed=5, events=500, kills=4, hosts=8, ahead=40), tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_10000_ends_reach_receivers_that_fail_at_random_while_all_is_killed_now_and_then(tmp_path: Path) -> None:
    run(Chaos(seed=10_000, events=10_000, kills=30, hosts=12, ahead=200), tmp_path)
