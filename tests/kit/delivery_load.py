"""Jobs whose ends are to be told: as many at a time as the healthy receiver keeps up with, whoever is killed meanwhile."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import attrs
import httpx

from tests.kit.delivery_crew import Crew
from tests.kit.deployment import tiny_job
from tests.kit.sick_receivers import HEALTHY, SickReceivers

_CALLERS: Final = 4
_TIMEOUT_S: Final = 15.0
_PAUSE_S: Final = 0.1
_WITHIN_S: Final = 120.0
_CANCELLED_EVERY: Final = 25
_TENANTS: Final = 7
# Calls for one thing: a minute and a half of a service that is away.
_MOST_CALLS: Final = 900


@attrs.define(eq=False, kw_only=True)
class Load:
    """`accepted`: the ids of jobs that were answered with 201, by their numbers. `ahead`: of the healthy receiver."""

    crew: Crew
    receivers: SickReceivers
    hosts: int
    ahead: int
    accepted: dict[int, str] = attrs.field(factory=dict)

    def submit(self, count: int) -> None:
        """Have so many jobs accepted, some of them cancelled at once."""
        with ThreadPoolExecutor(_CALLERS) as pool:
            for made in [pool.submit(self._call, range(first, count, _CALLERS)) for first in range(_CALLERS)]:
                made.result()

    def _call(self, numbers: Sequence[int]) -> None:
        record = self.receivers.record
        with httpx.Client(timeout=_TIMEOUT_S, verify=False) as client:
            for number in numbers:
                record.wait_for(lambda number=number: number <= record.ended[HEALTHY] + self.ahead, _WITHIN_S)  # type: ignore[misc]
                self._have_accepted(client, number)

    def _have_accepted(self, client: httpx.Client, number: int) -> None:
        url = self.receivers.url(number % self.hosts, number)
        key = {"Idempotency-Key": str(uuid.uuid4())}
        body = tiny_job(f"tenant-{number % _TENANTS}", callbackUrl=url)
        job_id = self.ask(client, number, "POST", "/api/jobs", json=body, headers=key)["jobId"]
        self.accepted[number] = job_id
        if number % _CANCELLED_EVERY == 1:
            self.ask(client, number, "DELETE", f"/api/jobs/{job_id}")

    def ask(self, client: httpx.Client, number: int, method: str, path: str, **request: Any) -> dict[str, Any]:
        """
        Do what a good client does: ask the same again, there or elsewhere, when it is told to or hears nothing.

        Returns: the answer.
        """
        for attempt in range(_MOST_CALLS):
            urls = self.crew.urls
            try:
                answer = client.request(method, urls[(number + attempt) % len(urls)] + path, **request)
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code not in {429, 503}:
                # A job that was over before its cancellation came.
                if answer.status_code != httpx.codes.CONFLICT:
                    answer.raise_for_status()
                found: dict[str, Any] = answer.json()
                return found
            # The pace of a client; nothing waits for it.
            threading.Event().wait(_PAUSE_S)
        raise AssertionError(f"{method} {path} is not answered")
