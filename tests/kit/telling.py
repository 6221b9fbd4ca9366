"""How it stands with what a service tells receivers, as its API says it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tests.kit.asking import until
from tests.kit.service import Service

HOOK: Final = "hook.default"
_BEFORE_THE_END: Final = {"job.started", "job.progress"}


def delivery(service: Service, job_id: str, receiver: str = HOOK) -> dict[str, Any] | None:
    """Returns: how it stands with the job's latest event for that receiver; None before the first."""
    with service.client() as client:
        found = client.get(f"/api/jobs/{job_id}").raise_for_status().json()["deliveries"]
    return next((dict(state) for state in found if state["receiver"] == receiver), None)


def end_that_is(
    service: Service, job_id: str, holds: Callable[[dict[str, Any]], object], receiver: str = HOOK
) -> dict[str, Any]:
    """Returns: how it stands with the job's end, once that holds of it."""
    seen: list[dict[str, Any] | None] = []

    def found() -> bool:
        seen[:] = [delivery(service, job_id, receiver)]
        [state] = seen
        return state is not None and state["event"] not in _BEFORE_THE_END and bool(holds(state))

    until(found)
    [state] = seen
    assert state is not None
    return state


def end_in(service: Service, job_id: str, status: str, receiver: str = HOOK) -> dict[str, Any]:
    """Returns: how it stands with the job's end, once it is `delivered` or whatever is waited for."""
    return end_that_is(service, job_id, lambda state: state["status"] == status, receiver)


def end_tried(service: Service, job_id: str, tries: int, receiver: str = HOOK) -> dict[str, Any]:
    """Returns: how it stands with the job's end, once so many tries are over and it waits for the next."""
    return end_that_is(service, job_id, lambda state: state["tries"] == tries and state["nextTryAt"], receiver)
