"""
What must hold of everything that receivers were sent, and of what is told of it: each fault gives one sentence.

At least once, in rising order, nothing after the end, one id and one body for all tries, signed, and honest about it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

from tests.kit.delivery_record import Record, Try
from tests.kit.hurried_service import TRIES
from tests.kit.illnesses import BUSY, RETRY_AFTER_S
from tests.kit.sick_receivers import HEALTHY, INCURABLE_EVERY

# The wall clock of a test's machine may be corrected a little.
_EARLY_S: Final = 0.05
Lane = tuple[str, str]


def by_lane(tries: Sequence[Try]) -> Mapping[Lane, Sequence[Try]]:
    """Returns: what each receiver was sent of each job, in the order in which it came."""
    lanes: dict[Lane, list[Try]] = defaultdict(list)
    for one in tries:
        lanes[one.receiver, one.job_id].append(one)
    return lanes


def violations(record: Record) -> list[str]:
    """Returns: what does not hold of the requests by themselves."""
    found = [f"{stray} was asked for" for stray in record.strays]
    found += [f"{one.event_id} came with a wrong signature" for one in record.tries if not one.verified]
    for (receiver, job_id), tries in by_lane(record.tries).items():
        found += [f"{receiver}, {job_id}: {sentence}" for sentence in (*_order(tries), *_identity(tries))]
        found += [f"{receiver}, {job_id}: {sentence}" for sentence in _patience(tries)]
    return found


def untold(record: Record, accepted: Mapping[int, str], receivers: Mapping[int, str]) -> list[str]:
    """Returns: ends of jobs that some receiver never took. `receivers`: the sick one of each job, by its number."""
    taken = {(one.receiver, one.job_id) for one in record.tries if one.ends and one.taken}
    owed = [(name, job_id) for number, job_id in accepted.items() for name in (HEALTHY, receivers[number])]
    return [f"{name} never took the end of {job_id}" for name, job_id in owed if (name, job_id) not in taken]


def misreported(record: Record, jobs: Mapping[int, dict[str, Any]]) -> list[str]:
    """Returns: what the service tells of deliveries that cannot be. `jobs`: as the API shows them, by their numbers."""
    taken = {(one.receiver, one.event_id) for one in record.tries if one.taken}
    return [
        f"{job['jobId']}, {told['receiver']}: {told} {sentence}"
        for number, job in jobs.items()
        for told in job["deliveries"]
        for sentence in _report(told, job["jobId"], number, taken)
    ] + [f"{job['jobId']} has other receivers than two" for job in jobs.values() if len(job["deliveries"]) != 2]


def _order(tries: Sequence[Try]) -> Iterator[str]:
    for earlier, later in pairwise(tries):
        if later.seq < earlier.seq:
            yield f"seq {later.seq} came after {earlier.seq}"
        if earlier.ends and later.event_id != earlier.event_id:
            yield f"{later.event_id} came after the end, {earlier.event_id}"


def _identity(tries: Sequence[Try]) -> Iterator[str]:
    bodies: dict[str, set[str]] = defaultdict(set)
    for one in tries:
        if one.event_id != f"evt_{one.job_id.replace('.', '_')}_{one.seq}":
            yield f"seq {one.seq} came as {one.event_id}"
        if one.ends:
            bodies[one.event_id].add(one.digest)
    if len(bodies) > 1:
        yield f"its end has more than one id: {sorted(bodies)}"
    yield from (f"{event_id} has {len(digests)} bodies" for event_id, digests in bodies.items() if len(digests) > 1)


def _patience(tries: Sequence[Try]) -> Iterator[str]:
    last: dict[str, Try] = {}
    for one in tries:
        before = last.get(one.event_id)
        if before and before.answer == BUSY.name and one.at_s - before.at_s < RETRY_AFTER_S - _EARLY_S:
            yield f"{one.event_id} came again {one.at_s - before.at_s:.2f} s after it was told to wait"
        last[one.event_id] = one


def _report(told: Mapping[str, Any], job_id: str, number: int, taken: set[tuple[str, str]]) -> Iterator[str]:
    event_id = f"evt_{job_id.replace('.', '_')}_{told['seq']}"
    was_taken = (told["receiver"], event_id) in taken
    if told["status"] not in {"delivered", "undeliverable"}:
        yield "is not at its end"
    if told["status"] == "delivered" and not was_taken:
        yield "was never taken"
    if told["status"] == "undeliverable" and told["tries"] < TRIES:
        yield "was given up too early"
    if told["status"] == "undeliverable" and told["receiver"] == HEALTHY:
        yield "is about a receiver that is well"
    if told["status"] != "undeliverable" and told["receiver"] != HEALTHY and number % INCURABLE_EVERY == 0:
        yield "is about a receiver that takes nothing"


def delays_s(record: Record, receiver: str) -> Sequence[float]:
    """Returns: how long after it happened each end was first taken by a receiver whose name begins so; sorted."""
    first: dict[tuple[str, str], float] = {}
    for one in record.tries:
        if one.ends and one.taken and one.receiver.startswith(receiver):
            told_at_s = datetime.fromisoformat(one.told_at).timestamp()
            first.setdefault((one.receiver, one.event_id), one.at_s - told_at_s)
    return sorted(first.values())
