"""F36 and the promise G21: health tells of a process that cannot work on, though Redis and the engine are well."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

import httpx
import pytest

from tests.kit import seams
from tests.kit.asking import health, until_healthy
from tests.kit.deployment import Deployment
from tests.kit.fault import Deed
from tests.kit.faulty_service import faulty
from tests.kit.service import Service

# Five seconds are forgiven.
STALL_S = 7.0


def _stalled(deployment: Deployment) -> Service:
    """Returns: a supervisor whose event loop stood still while it ran a job."""
    module = faulty(seams.MID_RUN, Deed.STALL, stall_s=STALL_S, once=deployment.folder / "struck")
    service = deployment.serve(module=module)
    service.result_of(deployment.submit(service))
    return service


def _stopped(deployment: Deployment) -> Service:
    """Returns: a supervisor that was suspended, as with its machine."""
    service = deployment.serve()
    service.result_of(deployment.submit(service))
    service.process.send_signal(signal.SIGSTOP)
    # The fault itself, and nothing that anybody waits for.
    time.sleep(STALL_S)
    service.process.send_signal(signal.SIGCONT)
    return service


@pytest.mark.slow
@pytest.mark.parametrize("stand_still", [_stalled, _stopped])
def test_f36_health_tells_of_a_process_that_stood_still_and_forgets_it(
    deployment: Deployment, stand_still: Callable[[Deployment], Service]
) -> None:
    service = stand_still(deployment)

    told = health(service)

    assert told.status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert (told.json()["status"], told.json()["redis"]) == ("unhealthy", "connected")
    assert any("stood still" in reason for reason in told.json()["reasons"])
    with service.client() as client:
        assert client.get("/api/health/live").status_code == httpx.codes.OK
    until_healthy(service)
    service.results_of([deployment.submit(service)])
    assert deployment.violations() == []
