"""F41: the process has no file descriptors left. It refuses, does not crash, and goes on when it has some again."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final
from urllib.parse import urlsplit

import httpx

from tests.kit.asking import SOON_S, all_completed, crashes, works_again
from tests.kit.deployment import Deployment
from tests.kit.faulty_service import held
from tests.kit.service import Service

_LIMIT: Final = 64
# The deployment's: it must be renewed while the crowd is there.
_LEASE_S: Final = 3


@contextmanager
def crowd(service: Service) -> Iterator[None]:
    """Twice as many connections as it may have open files; they say nothing."""
    address = urlsplit(service.url)
    with ExitStack() as stack:
        for _ in range(2 * _LIMIT):
            stack.enter_context(socket.create_connection((address.hostname, address.port), timeout=SOON_S))
        yield


def test_f41_a_process_without_descriptors_refuses_and_recovers(deployment: Deployment) -> None:
    released = deployment.folder / "released"
    service = deployment.serve(module=("tests.kit.limited", str(_LIMIT), *held(released)))
    job_id = deployment.submit(service)
    service.wait_for_event("job.processing", job_id=job_id)

    with crowd(service):
        code = answered(service)
        time.sleep(_LEASE_S + 1)
        deployment.release()
        service.wait_for_event("job.completed", job_id=job_id)

    assert code in {None, httpx.codes.SERVICE_UNAVAILABLE}
    works_again(deployment, service)
    all_completed(deployment, service)
    assert crashes(service) == []
    assert service.process.poll() is None


def answered(service: Service) -> int | None:
    """Returns: the status of a submission; None where nobody took the connection in time."""
    try:
        with service.client() as client:
            return client.post("/api/jobs", json={}, timeout=SOON_S).status_code
    except httpx.TransportError:
        return None
