"""The load: callers that each have one job at a time, and send every request again until it is answered."""

from __future__ import annotations

import json
import random
import threading
import uuid
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import attrs
import httpx

_TIMEOUT_S: Final = 15.0
_WAIT_S: Final = 5
_LONGEST_PAUSE_S: Final = 1.0
_CANCELLED_EVERY: Final = 20
_LONGEST_JOB_MS: Final = 1500


@attrs.define(eq=False)
class Callers:
    """
    `accepted` are the jobs that were answered with 201; `outcomes` is what their callers read at last.

    `refused`: answers that no caller should get. Who got one calls no more.
    """

    urls: Sequence[str]
    seed: int
    count: int
    accepted: list[str] = attrs.field(factory=list)
    outcomes: Counter[str] = attrs.field(factory=Counter)
    retries: Counter[str] = attrs.field(factory=Counter)
    refused: list[str] = attrs.field(factory=list)
    _over: threading.Event = attrs.field(factory=threading.Event)
    _threads: list[threading.Thread] = attrs.field(factory=list)

    def start(self) -> None:
        """Let them begin."""
        self._threads = [
            threading.Thread(target=self._call, args=(number,), daemon=True) for number in range(self.count)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self, within_s: float) -> bool:
        """Returns: whether all have come to the end of their last job."""
        self._over.set()
        for thread in self._threads:
            thread.join(within_s)
        return not any(thread.is_alive() for thread in self._threads)

    def _call(self, number: int) -> None:
        chance = random.Random(self.seed * 1000 + number)  # noqa: S311 - it is to be repeated, not to be secret
        with httpx.Client(timeout=_TIMEOUT_S) as client:
            caller = _Caller(self, client, chance, f"caller-{number}")
            try:
                while not self._over.is_set():
                    caller.have_a_job_done()
            except httpx.HTTPStatusError as error:
                self.refused.append(f"{number}: {error} {error.response.text[:500]}")


@attrs.define(eq=False)
class _Caller:
    load: Callers
    client: httpx.Client
    chance: random.Random
    name: str

    def have_a_job_done(self) -> None:
        key, body = str(uuid.UUID(int=self.chance.getrandbits(128), version=4)), self._body()
        job_id = self._until_answered("POST", "/api/jobs", json=body, headers={"Idempotency-Key": key})["jobId"]
        self.load.accepted.append(job_id)
        if self.chance.randrange(_CANCELLED_EVERY) == 0:
            self._until_answered("DELETE", f"/api/jobs/{job_id}")
        job: dict[str, Any] = {"finishedAt": None}
        while job["finishedAt"] is None:
            job = self._until_answered("GET", f"/api/jobs/{job_id}", params={"wait": _WAIT_S})
        self.load.outcomes[job["status"] if job["cause"] is None else f"{job['status']} ({job['cause']})"] += 1

    def _body(self) -> dict[str, Any]:
        script = f"node -e 'setTimeout(() => {{}}, {self.chance.randrange(_LONGEST_JOB_MS)})'"
        files = {"package.json": json.dumps({"scripts": {"build": script, "test": script}})}
        job_type = self.chance.choice(("build", "test"))
        return {"type": job_type, "data": {"chatId": self.name, "projectFiles": files}}

    def _until_answered(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        """What a good client does: the same again, there or elsewhere, when it is told to or hears nothing."""
        while True:
            url = self.chance.choice(self.load.urls)
            try:
                answer = self.client.request(method, url + path, **request)
            except httpx.TransportError as error:
                self._pause(type(error).__name__, _LONGEST_PAUSE_S)
                continue
            if answer.status_code in {httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE}:
                self._pause(answer.json()["code"], float(answer.headers["Retry-After"]))
                continue
            # A job that was over before its cancellation came.
            if answer.status_code != httpx.codes.CONFLICT:
                answer.raise_for_status()
            found: dict[str, Any] = answer.json()
            return found

    def _pause(self, reason: str, pause_s: float) -> None:
        self.load.retries[reason] += 1
        # Not the event that ends the load: a request that was begun is answered.
        threading.Event().wait(self.chance.uniform(0, min(pause_s, _LONGEST_PAUSE_S)))
