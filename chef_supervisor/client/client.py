"""The client: every call of the service as a method, with typed answers, and errors that say what to do."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

import attrs
import httpx

from chef_supervisor.client.answers import Artifact, Health, Job, QueueCounts
from chef_supervisor.client.calls import Body, Calls, job_path, shown_url
from chef_supervisor.client.decoding import decode
from chef_supervisor.client.errors import BadAnswer, ClientError, StillRunning, Unfit
from chef_supervisor.client.fetching import fetch, save
from chef_supervisor.client.following import LogEvent, follow
from chef_supervisor.client.gathering import gather
from chef_supervisor.client.submission import Archive, Changes, Files, Options, body_of

T = TypeVar("T")
DEFAULT_URL: Final = "http://127.0.0.1:3001"
_MAX_PORT: Final = 65_535
# The longest that a call waits for a job's end: well below what the service, and most proxies, let a request take.
_LONG_POLL_S: Final = 20.0
# How soon a job is looked at again whose change somebody wants to see, or whose wait the service cut short.
_LOOK_S: Final = 1.0


class Client:
    """
    Talks to one service; use it as `async with Client() as client`.

    `patience_s`: how long a call is made again while nobody answers, or only to say "later" (429, 502, 503, 504). Such
    calls may come twice, which does no harm: submissions carry an Idempotency-Key. `on_trouble` is told of it.

    Every method raises Refused where the service says no, and Unreachable, Unavailable or BadAnswer (all Unknown) where
    it could not be asked.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        patience_s: float = 60.0,
        on_trouble: Callable[[ClientError], None] | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """
        Make no connection yet. `transport`: instead of the network, as tests have it.

        Raises:
            Unfit: the address is none, or the environment names proxies or certificates that cannot be used.
        """
        self._http = _http(_checked(url), transport)
        self._calls = Calls(http=self._http, patience_s=patience_s)
        if on_trouble is not None:
            self._calls = attrs.evolve(self._calls, on_trouble=on_trouble)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def submit(
        self,
        job_type: str,
        project: Files | Path | Archive | Changes,
        *,
        chat_id: str,
        options: Options | None = None,
        idempotency_key: str | None = None,
    ) -> Job:
        """
        Queue a job. `project`: files, a folder, an archive, or what changed since an earlier job.

        Of a folder goes what git would not ignore, without `.git` and `node_modules`; see `gather`.

        Raises:
            Unfit: the folder cannot be sent as it is.
        """
        if isinstance(project, Path):
            project = (await asyncio.to_thread(gather, project)).files
        body = body_of(job_type, chat_id, project, options or Options())
        return await self._submit("/api/jobs", body, idempotency_key)

    async def job(self, job_id: str) -> Job:
        """Returns: the job as it is now."""
        return await self._read(job_id, 0.0)

    async def wait(
        self, job_id: str, *, timeout_s: float | None = None, on_change: Callable[[Job], None] | None = None
    ) -> Job:
        """
        Wait for the job's end, also over a restart of the service.

        `on_change` is told the job each time it looks different, about a second after it did at the latest.

        Returns: the job that is over.

        Raises:
            StillRunning: it was not over in `timeout_s`; None waits for as long as it takes.
        """
        last: Job | None = None
        try:
            async with asyncio.timeout(timeout_s):
                while last is None or not last.over:
                    next_look = asyncio.get_running_loop().time() + _LOOK_S
                    job = await self._read(job_id, _LONG_POLL_S if on_change is None else _LOOK_S)
                    if on_change is not None and job != last:
                        on_change(job)
                    last = job
                    if not job.over:
                        # A service that stops ends all waits at once: asking again at once would be without end.
                        await asyncio.sleep(next_look - asyncio.get_running_loop().time())
        except TimeoutError as error:
            raise StillRunning(job_id, last.status if last is not None else "unknown") from error
        return last

    def follow(self, job_id: str) -> AsyncGenerator[LogEvent, None]:
        """
        Read what the job's steps print, from the beginning and while they do; broken connections are taken up again.

        Yields: text and gaps, and the job's end as the last.
        """
        return follow(self._calls, job_id)

    async def artifacts(self, job_id: str) -> Sequence[Artifact]:
        """Returns: what the job made."""
        response = await self._calls.send("GET", job_path(job_id, "artifacts"))
        return self._decoded(response, _Listing).artifacts

    async def artifact(self, job_id: str, path: str) -> bytes:
        """
        Returns: the content of one file that the job made.

        Raises:
            NotSaved: the path is none of a file below the project.
        """
        return await fetch(self._calls, job_id, path)

    async def download(self, job_id: str, folder: Path) -> Sequence[Path]:
        """
        Save what the job made below the folder, which is made; files of the same names are replaced.

        Returns: the files.

        Raises:
            NotSaved: a path leads out of the folder or through a link, the bytes of a file are not those that its digest
                says, or the disk said no. What was saved before stays.
        """
        return [await save(self._calls, job_id, artifact, folder) for artifact in await self.artifacts(job_id)]

    async def cancel(self, job_id: str) -> Job:
        """
        End the job, wherever it is.

        Raises:
            Refused: `already_over`: it had its end before.
        """
        return self._decoded_job(await self._calls.send("DELETE", job_path(job_id)))

    async def retry(self, job_id: str, *, idempotency_key: str | None = None) -> Job:
        """
        Returns: a new job of the same files, for one that did not complete.

        Raises:
            Refused: `not_over`: it waits, runs, or completed.
        """
        return await self._submit(job_path(job_id, "retry"), Body(), idempotency_key)

    async def redeliver(self, job_id: str, receiver: str | None = None) -> Sequence[str]:
        """
        Have the end of the job told again, to one of its receivers or to all of them.

        Returns: who is told.

        Raises:
            Refused: `not_over`: it waits or runs. `unknown_receiver`: it has none of that name.
        """
        content = b"" if receiver is None else json.dumps({"receiver": receiver}).encode()
        response = await self._calls.send("POST", job_path(job_id, "redeliver"), Body(content=content))
        return self._decoded(response, _Redelivered).redelivered

    async def stats(self) -> dict[str, QueueCounts]:
        """Returns: how many jobs each queue has, by state."""
        response = await self._calls.send("GET", "/api/stats")
        return self._decoded(response, _Stats).queues

    async def health(self) -> Health:
        """Returns: whether the service takes jobs; it says so itself, also where it does not."""
        response = await self._calls.send("GET", "/api/health", fine=frozenset({503}))
        return self._decoded(response, Health)

    async def _submit(self, path: str, body: Body, key: str | None) -> Job:
        headers = {**body.headers, "Idempotency-Key": key or uuid.uuid4().hex}
        return self._decoded_job(await self._calls.send("POST", path, attrs.evolve(body, headers=headers)))

    async def _read(self, job_id: str, wait_s: float) -> Job:
        params = {"wait": f"{wait_s:g}"} if wait_s else None
        return self._decoded_job(await self._calls.send("GET", job_path(job_id), params=params, extra_s=wait_s))

    def _decoded_job(self, response: httpx.Response) -> Job:
        return attrs.evolve(self._decoded(response, Job), raw=response.json())

    def _decoded(self, response: httpx.Response, kind: type[T]) -> T:
        try:
            return decode(response.json(), kind)
        except ValueError as error:
            raise BadAnswer(self._calls.url, str(error)) from error


def _http(url: httpx.URL, transport: httpx.AsyncBaseTransport | None) -> httpx.AsyncClient:
    try:
        return httpx.AsyncClient(base_url=url, transport=transport)
    except (httpx.InvalidURL, ImportError, OSError, ValueError) as error:
        # It reads HTTP_PROXY, ALL_PROXY, SSL_CERT_FILE and their like at once.
        raise Unfit(f"the proxies or certificates that the environment names cannot be used: {error}") from error


def _checked(url: str) -> httpx.URL:
    try:
        found = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise Unfit(f"{url!r} is no address: {error}") from error
    if found.scheme not in {"http", "https"} or not found.host or (found.port or 0) > _MAX_PORT:
        raise Unfit(f"{shown_url(found)!r} is no address of a service; give one like {DEFAULT_URL}")
    return found


@attrs.frozen
class _Listing:
    artifacts: tuple[Artifact, ...]


@attrs.frozen
class _Redelivered:
    redelivered: tuple[str, ...]


@attrs.frozen
class _Stats:
    queues: dict[str, QueueCounts]
