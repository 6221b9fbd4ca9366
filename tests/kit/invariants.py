"""
What must hold after every fault, whatever it was: each check gives one sentence for everything that does not.

accepted = over + waiting + running; a job is in the one place that its status says; one end for each job; the counters
are what a recount gives; a container of ours has a run that holds its job.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Final

import docker
import redis

from chef_supervisor.domain.job import JobId, QueueName
from chef_supervisor.sandboxes.docker.box_names import read_taken
from chef_supervisor.sandboxes.sandbox import Role
from chef_supervisor.store.config import DEFAULT_QUEUES
from tests.kit.queue_snapshot import TERMINAL, Change, JobHash, QueueSnapshot, take_snapshot

_REMOVED_WITHIN_S: Final = 10.0
_LOOK_S: Final = 0.05
_PLACES: Final[Mapping[str, tuple[str, ...]]] = {
    "pending": ("pending", "delayed"),
    "processing": ("active",),
    "completed": ("completed",),
    "failed": ("failed",),
    "timeout": ("failed",),
    "cancelled": ("failed",),
}
_PLACED: Final = ("pending", "delayed", "active", "completed", "failed")


def violations(
    client: redis.Redis,
    accepted: Collection[str],
    *,
    over: bool = False,
    containers: str | None = None,
    changes: Mapping[QueueName, Sequence[Change]] | None = None,
    queues: Sequence[QueueName] = DEFAULT_QUEUES,
    prefix: str = "chef",
) -> list[str]:
    """
    Returns: what does not hold, each in a sentence; empty where all does.

    `accepted`: the jobs that were answered with 201. `over`: all of them should be by now. `containers`: the DOCKER_HOST
    whose containers are looked at. `changes`: all there ever were, where the streams hold only the newest.
    """
    snapshots = [take_snapshot(client, queue, prefix) for queue in queues]
    found: list[str] = []
    for snapshot in snapshots:
        told = changes[snapshot.queue] if changes is not None else snapshot.changes
        found += [*misplaced(snapshot), *miscounted(snapshot), *wrongly_ended(snapshot, told)]
        found += lost(snapshot, accepted, told)
        found += unfinished(snapshot) if over else ()
    if containers is not None:
        found += _lasting(lambda: list(orphans(containers, snapshots, accepted)))
    return found


def _lasting(look: Callable[[], list[str]]) -> list[str]:
    # A job's end is told before its container is removed.
    until = time.monotonic() + _REMOVED_WITHIN_S
    while (found := look()) and time.monotonic() < until:
        time.sleep(_LOOK_S)
    return found


def misplaced(snapshot: QueueSnapshot) -> Iterator[str]:
    """Every job is in exactly one of the sets, and one that its status allows; every member has a job."""
    found_in: dict[JobId, list[str]] = {}
    for name in _PLACED:
        for job_id in snapshot.sets[name]:
            found_in.setdefault(job_id, []).append(name)
    aside = set(snapshot.sets["corrupt"])
    for job_id in found_in.keys() | snapshot.jobs.keys() - aside:
        places, job = found_in.get(job_id, []), snapshot.jobs.get(job_id)
        if job is None:
            yield f"{job_id} is in {places}, but there is no such job"
        elif len(places) != 1 or places[0] not in _PLACES.get(job.status, ()):
            yield f"{job_id} is {job.status or 'without status'} and in {places}"
        elif (job.status == "processing") != bool(job.fence) and job.status not in TERMINAL:
            yield f"{job_id} is {job.status} with the fence {job.fence!r}"


def miscounted(snapshot: QueueSnapshot) -> Iterator[str]:
    """The counters are what a recount gives. Of what was set aside nobody knows how large it was."""
    if snapshot.sets["corrupt"]:
        return
    jobs = snapshot.jobs.values()
    recount = {"queued_bytes": _bytes(jobs, over=False), "kept_bytes": _bytes(jobs, over=True)}
    statuses = Counter(job.status for job in jobs)
    recount |= {f"kept_{status}": statuses[status] for status in TERMINAL}
    for name, count in recount.items():
        if (counted := snapshot.counters.get(name, 0)) != count:
            yield f"{snapshot.queue}: {name} is {counted}, and a recount gives {count}"


def wrongly_ended(snapshot: QueueSnapshot, changes: Sequence[Change]) -> Iterator[str]:
    """Whoever is over was told to be so once, as what it is; nothing is told of a job after its end."""
    ends: dict[JobId, str] = {}
    for change in changes:
        if change.job_id in ends:
            yield f"{change.job_id} is told to be {change.status} after it was told to be {ends[change.job_id]}"
        if change.status in TERMINAL:
            ends[change.job_id] = change.status
    whole = not changes or changes[0].position == 1
    for job_id, job in snapshot.jobs.items():
        end = job.status if job.status in TERMINAL else None
        if ends.get(job_id) != end and (whole or job_id in ends):
            yield f"{job_id} is {job.status}, but the end that was told is {ends.get(job_id)}"


def lost(snapshot: QueueSnapshot, accepted: Collection[str], changes: Sequence[Change]) -> Iterator[str]:
    """A job that was accepted is there, or was over and is past its retention."""
    ended = {change.job_id for change in changes if change.status in TERMINAL}
    for job_id in accepted:
        ours = job_id.startswith(f"{snapshot.queue}.")
        if ours and job_id not in snapshot.jobs and job_id not in ended and job_id not in snapshot.sets["corrupt"]:
            yield f"{job_id} was accepted and is lost"


def unfinished(snapshot: QueueSnapshot) -> Iterator[str]:
    """Nothing waits and nothing runs."""
    for job_id, job in snapshot.jobs.items():
        if job.status not in TERMINAL:
            yield f"{job_id} is still {job.status}"


def orphans(docker_host: str, snapshots: Sequence[QueueSnapshot], accepted: Collection[str]) -> Iterator[str]:
    """Every container that runs one of these jobs belongs to the run that holds it now."""
    jobs = {job_id: job for snapshot in snapshots for job_id, job in snapshot.jobs.items()}
    for labels, name in containers_of(docker_host, {*accepted, *jobs}):
        job = jobs.get(JobId(labels["chef.job"]))
        run = labels.get("chef.run")
        if job is None or job.status != "processing" or job.fence.partition(":")[0] != run:
            yield f"container {name} is run {run} of a job that is {job.status if job else 'gone'}"


def containers_of(docker_host: str, job_ids: Collection[str]) -> list[tuple[Mapping[str, str], str]]:
    """Returns: labels and name of each container that runs one of these jobs; what stands in a name counts as labels."""
    client = docker.APIClient(base_url=docker_host)
    try:
        found: list[Any] = client.containers(all=True, filters={"label": "chef.role"})
    finally:
        client.close()
    boxes = [one for one in found if one["Labels"]["chef.role"] in {Role.JOB, Role.WARM} and one["Names"]]
    named = [(_labels(one["Labels"], one["Names"][0]), one["Names"][0]) for one in boxes]
    return [(labels, name) for labels, name in named if labels.get("chef.job") in job_ids]


def container_of(docker_host: str, job_id: str) -> str:
    """Returns: the name of the only container that runs the job."""
    [(_, name)] = containers_of(docker_host, [job_id])
    return name.removeprefix("/")


def _labels(labels: Mapping[str, str], name: str) -> Mapping[str, str]:
    taken = read_taken(name.removeprefix("/"))
    return labels if taken is None else {**labels, "chef.job": taken.run.job_id, "chef.run": str(taken.run.number)}


def _bytes(jobs: Collection[JobHash], *, over: bool) -> int:
    return sum(job.bytes for job in jobs if (job.status in TERMINAL) == over)
