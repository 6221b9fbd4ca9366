"""Calls of the service that are made again while it is away: each may come twice, so each must bear that."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import quote

import attrs
import httpx

from chef_supervisor.client.errors import ClientError, Unreachable
from chef_supervisor.client.refusals import refusal
from chef_supervisor.domain.retry import Backoff

# Answers that may be others soon: the queue is full, the service stops or starts, a proxy finds nobody behind it.
_AGAIN: Final = frozenset({408, 429, 502, 503, 504})
_PAUSES: Final = Backoff(delay_ms=200, max_ms=5_000)
# The service answers within a second or refuses; the largest uploads take a while.
_ANSWER_S: Final = 30.0
_CONNECT_S: Final = 5.0
_UPLOAD_S: Final = 120.0
# An event stream says something every 15 s.
_SILENCE_S: Final = 45.0


def _say_nothing(_trouble: ClientError) -> None:
    """What is borne is nobody's concern."""


@attrs.frozen(kw_only=True)
class Body:
    """What is sent, the same bytes each time: an Idempotency-Key stands for those."""

    content: bytes = attrs.field(default=b"", repr=False)
    headers: Mapping[str, str] = attrs.field(factory=dict)


@attrs.define(eq=False)
class Patience:
    """For how long failures in a row are borne, and how long the pauses between them are."""

    calls: Calls
    _failures: int = 0
    _until: float = 0.0

    def reset(self) -> None:
        """It worked."""
        self._failures = 0

    async def bear(self, trouble: ClientError, pause_s: float = 0.0) -> None:
        """
        Wait before the next try, at least so long.

        Raises:
            ClientError: the trouble, where it has lasted for too long.
        """
        now = asyncio.get_running_loop().time()
        if not self._failures:
            self._until = now + self.calls.patience_s
        self._failures += 1
        pause_s = max(pause_s, _PAUSES.wait_ms(self._failures, self.calls.chance()) / 1000)
        if now + pause_s > self._until:
            raise trouble
        if self._failures == 1:
            self.calls.on_trouble(trouble)
        await asyncio.sleep(pause_s)


@attrs.frozen(kw_only=True)
class Calls:
    """
    What all calls share. `patience_s`: how long nobody may answer, or only to say "later".

    `on_trouble` is told what a call bears with, once each time it begins to. `chance`: random numbers from 0 to 1, so
    that callers who were turned away together do not come back together.
    """

    http: httpx.AsyncClient
    patience_s: float
    on_trouble: Callable[[ClientError], None] = _say_nothing
    chance: Callable[[], float] = random.SystemRandom().random

    @property
    def url(self) -> str:
        """The service, as it may be shown."""
        return shown_url(self.http.base_url)

    async def send(
        self,
        method: str,
        path: str,
        body: Body | None = None,
        *,
        params: Mapping[str, str] | None = None,
        fine: frozenset[int] = frozenset(),
        extra_s: float = 0.0,
    ) -> httpx.Response:
        """
        Returns: an answer of the 200s, or of `fine`. `extra_s`: how much longer than others it may take.

        Raises:
            Refused: it said no.
            Unreachable, Unavailable: for as long as `patience_s`.
        """
        request = self._request(method, path, body or Body(), params)
        request.extensions["timeout"] = _timeout(_ANSWER_S + extra_s)
        patience = Patience(self)
        while True:
            try:
                response = await self.http.send(request)
            except httpx.RequestError as error:
                await patience.bear(self._unreachable(error))
                continue
            if response.is_success or response.status_code in fine:
                return response
            await self._bear(response, patience)

    @asynccontextmanager
    async def stream(self, path: str, headers: Mapping[str, str]) -> AsyncIterator[httpx.Response]:
        """
        Read an answer as it comes; this once.

        Raises:
            ClientError: as `send`, and also when it breaks while it is read.
        """
        request = self._request("GET", path, Body(headers=headers), None)
        request.extensions["timeout"] = _timeout(_SILENCE_S)
        try:
            response = await self.http.send(request, stream=True)
            try:
                if not response.is_success:
                    await response.aread()
                    raise refusal(response)
                yield response
            finally:
                await response.aclose()
        except httpx.RequestError as error:
            raise self._unreachable(error) from error

    async def _bear(self, response: httpx.Response, patience: Patience) -> None:
        trouble = refusal(response)
        if response.status_code not in _AGAIN:
            raise trouble
        await patience.bear(trouble, retry_after_s(response))

    def _request(self, method: str, path: str, body: Body, params: Mapping[str, str] | None) -> httpx.Request:
        content = body.content or None
        return self.http.build_request(method, path, content=content, headers=dict(body.headers), params=params)

    def _unreachable(self, error: httpx.RequestError) -> Unreachable:
        return Unreachable(self.url, str(error) or type(error).__name__)


def _timeout(answer_s: float) -> dict[str, float | None]:
    return httpx.Timeout(answer_s, connect=_CONNECT_S, write=_UPLOAD_S).as_dict()


def retry_after_s(response: httpx.Response) -> float:
    """Returns: how long the service asks to be left alone; 0 where it does not say, or says it as a date."""
    text = response.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdecimal() else 0.0


def shown_url(url: httpx.URL | str) -> str:
    """Returns: the address without the password that may stand in it."""
    return str(httpx.URL(url).copy_with(userinfo=b""))


def job_path(job_id: str, *below: str) -> str:
    """Returns: the path of a job's own call; an id, or a name below it, is one name of it whatever it holds."""
    return "/".join(["/api/jobs", *(quote(name, safe="") for name in (job_id, *below))])
