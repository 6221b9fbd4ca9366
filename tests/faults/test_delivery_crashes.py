"""F8 and F9: a supervisor is killed on the way of an event to its receiver, and another goes on."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Final

import pytest

from chef_supervisor.store.config import DELIVERY_LEASE_S
from tests.kit import seams
from tests.kit.deployment import Deployment, told_to
from tests.kit.faulty_service import faulty
from tests.kit.outbox_time import due_in_s, let_pass
from tests.kit.raw_web import says, silence
from tests.kit.receiving import Receiving, receiving
from tests.kit.service import STOP_S
from tests.kit.telling import HOOK, delivery, end_in

SHORT_OF: Final = [
    seams.AFTER_FINISH,
    pytest.param(seams.BEFORE_DELIVER, marks=pytest.mark.slow),
    pytest.param(seams.AFTER_DELIVER, marks=pytest.mark.slow),
]


@pytest.fixture(name="receiver")
def receiver_fixture() -> Iterator[Receiving]:
    with receiving(says(204)) as receiver:
        yield receiver


def killed_at(deployment: Deployment, receiver: Receiving, point: str) -> str:
    """Returns: the job whose end that point was; its supervisor is dead."""
    struck = deployment.folder / "struck"
    service = deployment.serve(module=faulty(point, once=struck), **told_to(receiver.url))
    job_id = deployment.submit(service, progress=False)
    assert service.process.wait(STOP_S) == -signal.SIGKILL
    assert struck.exists()
    return job_id


@pytest.mark.parametrize("point", SHORT_OF)
def test_f8_killed_after_the_finish_and_before_the_request_the_end_is_told_after_the_restart(
    deployment: Deployment, receiver: Receiving, point: str
) -> None:
    job_id = killed_at(deployment, receiver, point)
    assert receiver.events == []
    again = deployment.serve(**told_to(receiver.url))
    waiting = delivery(again, job_id)
    assert waiting is not None
    with deployment.redis.client() as client:
        let_pass(client, DELIVERY_LEASE_S)

    [event] = receiver.wait_for(1, job_id)

    assert (event.kind, event.seq) == ("job.completed", waiting["seq"])
    assert event.event_id == f"evt_{job_id.replace('.', '_')}_{waiting['seq']}"
    assert end_in(again, job_id, "delivered")["tries"] == (2 if point == seams.AFTER_DELIVER else 1)
    assert deployment.violations() == []


def test_f9_killed_after_the_answer_and_before_redis_knows_the_same_event_is_told_twice(
    deployment: Deployment, receiver: Receiving
) -> None:
    job_id = killed_at(deployment, receiver, seams.BEFORE_DELIVERED)
    [before] = receiver.of(job_id)
    again = deployment.serve(**told_to(receiver.url))
    with deployment.redis.client() as client:
        assert 0 < due_in_s(client, job_id, HOOK) <= DELIVERY_LEASE_S
        let_pass(client, DELIVERY_LEASE_S)

    [_, after] = receiver.wait_for(2, job_id)

    assert (after.event_id, after.seq) == (before.event_id, before.seq)
    assert after.request.body == before.request.body
    assert end_in(again, job_id, "delivered")["tries"] == 2
    assert deployment.violations() == []


def test_a_supervisor_that_is_killed_while_it_tells_is_followed_by_another_after_its_lease_and_in_order(
    deployment: Deployment, receiver: Receiving
) -> None:
    to_it = told_to(receiver.url)
    other = deployment.serve("b", **to_it)
    # It must not be the one that tells of the start.
    other.process.send_signal(signal.SIGSTOP)
    try:
        receiver.answering = silence
        service = deployment.holding("a", **to_it)
        job_id = deployment.submit(service)
        [start] = receiver.wait_for(1, job_id)
        deployment.release()
        service.wait_for_event("job.completed", job_id=job_id)
        service.process.kill()
        service.process.wait(STOP_S)
    finally:
        other.process.send_signal(signal.SIGCONT)

    receiver.answering = says(204)
    # It tells of others meanwhile, and so had many occasions to overtake.
    end_in(other, deployment.submit(other), "delivered")
    assert receiver.of(job_id) == [start]
    with deployment.redis.client() as client:
        assert due_in_s(client, job_id, HOOK) > 0
        let_pass(client, DELIVERY_LEASE_S)
    end_in(other, job_id, "delivered")

    [before, end] = receiver.of(job_id)
    assert (before, end.kind) == (start, "job.completed")
    assert start.kind != "job.completed"
    assert start.seq < end.seq
    assert deployment.violations() == []
