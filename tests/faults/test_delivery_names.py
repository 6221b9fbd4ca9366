"""F32: names, addresses and certificates that change under way, and redirects. Nothing secret is told of any."""

from __future__ import annotations

import json
from typing import Any, Final

from tests.kit.deployment import Deployment
from tests.kit.hook_kit import CALLBACK_SECRET, LOOPBACK, secret_of
from tests.kit.internet import Internet
from tests.kit.outbox_time import let_pass
from tests.kit.raw_web import says
from tests.kit.receiving import callback_url, receiving
from tests.kit.service import Service
from tests.kit.telling import end_in, end_tried

MOVING: Final = "moving.example.com"
REDIRECTING: Final = "redirecting.example.com"
EXPIRED: Final = "expired.example.com"
METADATA: Final = "169.254.169.254"
LONGER_THAN_ANY_WAIT_S: Final = 3600.0


def reasons(service: Service, jobs: dict[str, str], tries: int) -> list[str]:
    """Returns: why the last try of each was in vain, once all had so many; those that were taken are left out."""
    return [str(end_tried(service, job_id, tries, f"callback.{host}")["reason"]) for host, job_id in jobs.items()]


def all_that_was_told(service: Service, jobs: dict[str, str]) -> str:
    with service.client() as client:
        answers: list[Any] = [client.get(f"/api/jobs/{job_id}").json() for job_id in jobs.values()]
        answers.append(client.get("/api/stats").json())
    return json.dumps([service.records, answers])


def test_f32_every_try_judges_name_address_and_certificate_anew_and_no_redirect_is_followed(
    deployment: Deployment,
) -> None:
    internet = Internet(deployment.folder)
    failing = says(500)
    to_metadata = says(301, {"location": f"http://{METADATA}/latest/meta-data/"})
    with (
        receiving(says(204)) as elsewhere,
        internet.hosts({MOVING: failing, REDIRECTING: to_metadata, EXPIRED: says(204)}) as hosts,
        deployment.redis.client() as redis,
    ):
        internet.certify(EXPIRED, expired=True)
        service = deployment.serve(module=internet.module(), **internet.env())
        jobs = {
            host: deployment.submit(service, progress=False, callbackUrl=callback_url(receiver, host))
            for host, receiver in hosts.items()
        }
        assert reasons(service, jobs, 1) == ["http_500", "redirect", "tls_error"]

        internet.name(MOVING, METADATA)
        hosts[REDIRECTING].answering = says(307, {"location": elsewhere.url})
        let_pass(redis, LONGER_THAN_ANY_WAIT_S)
        assert reasons(service, jobs, 2) == ["refused_by_policy", "redirect", "tls_error"]

        internet.name(MOVING)
        let_pass(redis, LONGER_THAN_ANY_WAIT_S)
        assert reasons(service, jobs, 3) == ["unknown_host", "redirect", "tls_error"]
        assert [len(receiver.events) for receiver in hosts.values()] == [1, 3, 0]
        assert elsewhere.web.connections == 0

        internet.name(MOVING, LOOPBACK)
        internet.certify(EXPIRED)
        for receiver in hosts.values():
            receiver.answering = says(204)
        let_pass(redis, LONGER_THAN_ANY_WAIT_S)
        for host, job_id in jobs.items():
            assert end_in(service, job_id, "delivered", f"callback.{host}")["tries"] == 4
            assert len({event.event_id for event in hosts[host].events}) == 1

        told = all_that_was_told(service, jobs)
        keys = [key.removeprefix("whsec_") for key in (CALLBACK_SECRET, *map(secret_of, hosts))]
        for secret in (*keys, "secret-path", "v1,", METADATA):
            assert secret not in told
