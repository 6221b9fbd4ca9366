"""
Receivers for the benchmark of the notifier, each a process of its own that prints its port and serves until it is ended.

    python -m scripts.bench.receiving healthy|sick

The healthy one takes all and remembers when each job came first; it verifies nothing. The sick one answers 500, and to
every other request not at all.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from typing import Final

import attrs
import orjson
import uvicorn
from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, HTTPScope, Scope

_CONTENT: Final = [(b"content-type", b"application/json")]
_STOP_S: Final = 5.0
_ANSWER_S: Final = 30.0


@attrs.frozen(kw_only=True)
class Arrivals:
    """
    `first_s`: job -> when its first delivery came, by the machine's monotonic clock; read by `arrivals` alone.

    `jobs`: how many were told of; `requests`: repetitions too.
    """

    first_s: dict[str, float]
    jobs: int
    requests: int


@attrs.define(eq=False)
class Healthy:
    """POST: 204. GET: what came so far."""

    first_s: dict[str, float] = attrs.field(factory=dict)
    requests: int = 0

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        if scope["method"] == "GET":
            first_s = self.first_s if scope["path"] == "/all" else {}
            await _tell(send, Arrivals(first_s=first_s, jobs=len(self.first_s), requests=self.requests))
            return
        while (await receive()).get("more_body"):
            pass
        self.requests += 1
        self.first_s.setdefault(_job_of(scope), time.monotonic())
        await _answer(send, 204)


@attrs.define(eq=False)
class Sick:
    """500, nothing, 500, nothing."""

    requests: int = 0

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        if scope["method"] == "GET":
            await _tell(send, Arrivals(first_s={}, jobs=0, requests=self.requests))
            return
        self.requests += 1
        if self.requests % 2:
            await _answer(send, 500)
            return
        while (await receive())["type"] != "http.disconnect":
            pass


@attrs.frozen
class Receiving:
    """A receiver that runs."""

    port: int

    def counts(self) -> Arrivals:
        """Returns: how many came."""
        return self._read("/")

    def arrivals(self) -> Arrivals:
        """Returns: what came."""
        return self._read("/all")

    def _read(self, path: str) -> Arrivals:
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=_ANSWER_S)) as connection:
            connection.request("GET", path)
            return Arrivals(**orjson.loads(connection.getresponse().read()))


@contextmanager
def receiving(kind: str) -> Iterator[Receiving]:
    """Run one, `healthy` or `sick`."""
    command = [sys.executable, "-m", "scripts.bench.receiving", kind]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Receiving(int(process.stdout.readline() if process.stdout else 0))
        finally:
            process.kill()
            process.wait(_STOP_S)


def _job_of(scope: HTTPScope) -> str:
    # evt_<job>_<seq>
    name = dict(scope["headers"]).get(b"webhook-id", b"").decode()
    return name.removeprefix("evt_").rpartition("_")[0]


async def _tell(send: ASGISendCallable, arrivals: Arrivals) -> None:
    await _answer(send, 200, orjson.dumps(attrs.asdict(arrivals)))


async def _answer(send: ASGISendCallable, status: int, content: bytes = b"") -> None:
    headers = [*_CONTENT, (b"content-length", str(len(content)).encode())] if content else []
    await send({"type": "http.response.start", "status": status, "headers": headers, "trailers": False})
    await send({"type": "http.response.body", "body": content, "more_body": False})


async def _serve(app: Healthy | Sick) -> None:
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", timeout_keep_alive=60)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        sys.stdout.write(f"{listening.getsockname()[1]}\n")
        sys.stdout.flush()
        await server.serve(sockets=[listening])


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=("healthy", "sick"))
    asyncio.run(_serve(Healthy() if parser.parse_args().kind == "healthy" else Sick()))
