"""Jobs over HTTP as one caller makes them, on one connection that stays open."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

import attrs

from scripts.bench.running import Side

_TIMEOUT_S: Final = 120.0
_LONGEST_WAIT_S: Final = 30
_FIRST_REFUSAL: Final = 400
# Sooner than any server closes a connection that nothing is asked on: the next request opens another.
_KEPT_S: Final = 2.0


def build(files: Mapping[str, str]) -> dict[str, Any]:
    """Returns: the body of a build of these."""
    return {"type": "build", "data": {"chatId": "bench", "projectFiles": dict(files)}}


# Its box is started, given its files, runs a shell that does nothing, and is thrown away.
NOTHING: Final = build({"package.json": json.dumps({"name": "nothing", "scripts": {"build": "true"}})})


def command(*argv: str) -> dict[str, Any]:
    """Returns: the body of a job that runs it."""
    return {**NOTHING, "data": {**NOTHING["data"], "steps": [{"name": "command", "run": list(argv)}]}}


@attrs.define(eq=False)
class Caller:
    """Not httpx: on a machine of two processors its own time would be a good part of what is measured."""

    _connection: http.client.HTTPConnection
    _used_at_s: float = attrs.field(default=0.0, init=False)

    def post(self, body: Mapping[str, Any]) -> str:
        """Returns: the id of a new job."""
        return str(self.call("POST", "/api/jobs", body)["jobId"])

    def completed(self, job_id: str) -> dict[str, Any]:
        """
        Returns: the job, once it is over.

        Raises:
            RuntimeError: it did not complete.
        """
        told: dict[str, Any] = {"finishedAt": None}
        while told["finishedAt"] is None:
            told = self.call("GET", f"/api/jobs/{job_id}?wait={_LONGEST_WAIT_S}")
        if told["status"] != "completed":
            raise RuntimeError(json.dumps(told, indent=1)[-3000:])
        return told

    def completed_s(self, body: Mapping[str, Any]) -> float:
        """Returns: how long it took from the POST to the answer that says completed."""
        began = time.monotonic()
        self.completed(self.post(body))
        return time.monotonic() - began

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """
        Returns: the answer.

        Raises:
            RuntimeError: it is a refusal.
        """
        if time.monotonic() - self._used_at_s > _KEPT_S:
            self._connection.close()
        content = None if body is None else json.dumps(body).encode()
        self._connection.request(method, path, content, {"Content-Type": "application/json"})
        answer = self._connection.getresponse()
        text = answer.read()
        self._used_at_s = time.monotonic()
        if answer.status >= _FIRST_REFUSAL:
            raise RuntimeError(f"{method} {path} was answered {answer.status}: {text[:500]!r}")
        told: dict[str, Any] = json.loads(text)
        return told


@contextmanager
def caller(side: Side) -> Iterator[Caller]:
    """Yields: one of that side."""
    connection = http.client.HTTPConnection(urlsplit(side.url).netloc, timeout=_TIMEOUT_S)
    try:
        yield Caller(connection)
    finally:
        connection.close()
