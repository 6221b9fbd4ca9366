"""A service without a network, for tests of the client: it answers what it is told, in order, and keeps what it heard."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import attrs
import httpx

from chef_supervisor.client import Client

JOB_ID = "tests.0_" + "a" * 26


def a_job(status: str = "pending", **fields: Any) -> dict[str, Any]:
    """Returns: a job as the service shows it."""
    job = {"jobId": JOB_ID, "type": "test", "status": status, "queue": "tests", "priority": 5, "progress": 0}
    return {**job, "createdAt": "2026-11-23T13:31:55.422Z", "result": None, **fields}


def found(verdict: str, cause: str | None = None, **fields: Any) -> dict[str, Any]:
    """Returns: a result as the service shows it."""
    return {"verdict": verdict, "cause": cause, "message": f"It {verdict}.", "steps": [], "warnings": [], **fields}


def problem(status: int, code: str, detail: str = "no", **headers: str) -> httpx.Response:
    """Returns: a refusal."""
    document = {"type": f"urn:chef:problem:{code}", "status": status, "code": code, "detail": detail}
    return httpx.Response(status, json=document, headers=headers)


@attrs.define(eq=False)
class Stream(httpx.AsyncByteStream):
    """An answer that comes in pieces; `breaks`: the connection does, after the last of them."""

    pieces: Sequence[bytes]
    breaks: bool = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece
        if self.breaks:
            raise httpx.ReadError("broken")


@attrs.define(eq=False)
class FakeService:
    """
    Answers in order; the last answer is given again and again. An exception is raised in place of an answer.

    `rules`: by method and path, instead of the order.
    """

    answers: list[object] = attrs.field(factory=list)
    rules: dict[tuple[str, str], Callable[[httpx.Request], httpx.Response]] = attrs.field(factory=dict)
    heard: list[httpx.Request] = attrs.field(factory=list)

    async def answer(self, request: httpx.Request) -> httpx.Response:
        """Returns: the next answer."""
        await request.aread()
        self.heard.append(request)
        rule = self.rules.get((request.method, request.url.path))
        if rule is not None:
            return rule(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        match answer:
            case Exception():
                raise answer
            case httpx.Response():
                # An answer can be read once, and may be given again.
                return httpx.Response(answer.status_code, headers=answer.headers, stream=answer.stream)
            case _:
                return httpx.Response(200, json=answer)

    def client(self, **fields: Any) -> Client:
        """Returns: a client that knows no other service."""
        return Client("http://service", transport=httpx.MockTransport(self.answer), **fields)

    def bodies(self) -> list[Any]:
        """Returns: the JSON that was sent."""
        return [json.loads(request.content) for request in self.heard]
