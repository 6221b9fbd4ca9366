"""F30: receivers that refuse, are overloaded, or want nothing more."""

from __future__ import annotations

from typing import Any, Final

import httpx
import pytest

from chef_supervisor.domain.delivery_policy import END_DELAYS_S, JITTER
from tests.kit.deployment import Deployment, told_to
from tests.kit.internet import Internet
from tests.kit.outbox_time import due_in_s, let_pass
from tests.kit.raw_web import says
from tests.kit.receiving import callback_url, receiving
from tests.kit.service import Service
from tests.kit.telling import HOOK, end_in, end_tried

WELL: Final = "well.example.com"
# Between the answer and the look at when it is tried again; a busy machine's allowance.
_ALLOWANCE_S: Final = 5.0


def counts(service: Service) -> dict[str, Any]:
    with service.client() as client:
        return dict(client.get("/api/stats").json()["deliveries"])


def redeliver(service: Service, job_id: str) -> None:
    with service.client() as client:
        assert client.post(f"/api/jobs/{job_id}/redeliver").status_code == httpx.codes.ACCEPTED


@pytest.mark.slow
def test_f30_an_end_that_is_answered_500_is_told_by_the_schedule_also_over_a_restart(deployment: Deployment) -> None:
    with receiving(says(500)) as receiver, deployment.redis.client() as client:
        service = deployment.serve(**told_to(receiver.url))
        job_id = deployment.submit(service, progress=False)
        for tries, delay_s in enumerate(END_DELAYS_S, 1):
            receiver.wait_for(tries, job_id)
            assert end_tried(service, job_id, tries)["reason"] == "http_500"
            assert delay_s - _ALLOWANCE_S < due_in_s(client, job_id, HOOK) <= delay_s * (1 + JITTER)
            if tries == len(END_DELAYS_S) // 2:
                service.process.kill()
                service = deployment.serve(**told_to(receiver.url))
            let_pass(client, due_in_s(client, job_id, HOOK))

        state = end_in(service, job_id, "undeliverable")

        assert (state["tries"], state["reason"], state["nextTryAt"]) == (1 + len(END_DELAYS_S), "http_500", None)
        assert {(event.event_id, event.request.body) for event in receiver.of(job_id)} == {
            (receiver.events[0].event_id, receiver.events[0].request.body)
        }
        assert len(receiver.events) == state["tries"]
        assert counts(service)["undeliverable"] == 1


def test_f30_a_start_that_is_answered_500_gives_way_to_the_end(deployment: Deployment) -> None:
    with receiving(says(500)) as receiver:
        service = deployment.holding(**told_to(receiver.url))
        job_id = deployment.submit(service)
        receiver.wait_for(1, job_id)
        receiver.answering = says(204)
        deployment.release()
        end_in(service, job_id, "delivered")

        seqs = [event.seq for event in receiver.of(job_id)]
        assert seqs == sorted(seqs)
        assert [event.kind for event in receiver.of(job_id)].index("job.completed") == len(seqs) - 1


def test_f30_a_receiver_that_is_overloaded_is_left_alone_for_as_long_as_it_asks(deployment: Deployment) -> None:
    asked_s = 120
    overloaded = says(429, {"retry-after": str(asked_s)})
    internet = Internet(deployment.folder)
    with receiving(overloaded) as receiver, internet.hosts({WELL: says(204)}) as hosts:
        service = deployment.serve(module=internet.module(), **told_to(receiver.url), **internet.env())
        first = deployment.submit(service, progress=False)
        state = end_tried(service, first, 1)
        paused = service.wait_for_event("receiver.paused", receiver=HOOK, reason="http_429")
        second = deployment.submit(service, progress=False, callbackUrl=callback_url(hosts[WELL], WELL))
        # By then the notifier has looked at what is due for both.
        hosts[WELL].wait_for(1, second)

        with deployment.redis.client() as client:
            assert asked_s - _ALLOWANCE_S < due_in_s(client, first, HOOK) <= asked_s * (1 + JITTER)
        assert state["reason"] == "http_429"
        assert paused["pause_s"] >= asked_s
        assert [event.job_id for event in receiver.events] == [first]


def test_f30_a_receiver_that_is_gone_is_told_nothing_more_until_it_takes_what_is_sent_by_hand(
    deployment: Deployment,
) -> None:
    with receiving(says(410)) as receiver:
        service = deployment.serve(**told_to(receiver.url))
        first = deployment.submit(service, progress=False)
        assert end_in(service, first, "undeliverable")["reason"] == "gone"
        service.wait_for_event("receiver.gone", receiver=HOOK)
        second = deployment.submit(service, progress=False)
        state = end_in(service, second, "undeliverable")
        assert (state["reason"], state["tries"]) == ("gone", 0)
        assert [event.job_id for event in receiver.events] == [first]
        assert (counts(service)["undeliverable"], counts(service)["delivered"]) == (2, 0)

        receiver.answering = says(204)
        redeliver(service, second)
        end_in(service, second, "delivered")
        third = deployment.submit(service, progress=False)
        end_in(service, third, "delivered")

        assert [event.job_id for event in receiver.events] == [first, second, third]
