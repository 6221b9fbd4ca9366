"""The one door to docker-py, which blocks: a pool of threads of its own, every call under a deadline."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import docker
import docker.utils

from chef_supervisor.sandboxes.config import DockerConfig
from chef_supervisor.sandboxes.docker.address import Address, address_of
from chef_supervisor.sandboxes.docker.trouble import TROUBLE, unavailable
from chef_supervisor.sandboxes.leaving import finish

T = TypeVar("T")


class Engine:
    """Runs functions that take a docker-py client. The client is made by the first call that reaches the engine."""

    def __init__(self, config: DockerConfig) -> None:
        self._config = config
        self._pool = ThreadPoolExecutor(config.max_threads, thread_name_prefix="docker")
        self._lock = threading.Lock()
        self._client: docker.APIClient | None = None

    async def ask(self, work: Callable[[docker.APIClient], T], doing: str, timeout_s: float | None = None) -> T:
        """
        Learn something. Whoever is cancelled leaves at once; the thread goes on by itself, as far as its client waits.

        Returns: what `work` returned.

        Raises:
            SandboxUnavailable: the engine failed, or did not answer in time.
        """
        future = self._submit(work)
        try:
            await asyncio.wait({future}, timeout=timeout_s or self._config.call_timeout_s)
            return _result(future, doing)
        finally:
            # While an engine hangs, all threads may be waiting for it: a question that nobody asks any more is not to
            # stand in the line for them.
            future.cancel()

    async def call(self, work: Callable[[docker.APIClient], T], doing: str, timeout_s: float | None = None) -> T:
        """
        Change something.

        A call that is under way cannot be taken back. When cancelled, before or meanwhile, this waits for it all the
        same, for a short time, so that whoever cleans up behind it finds what it made.

        Returns: what `work` returned.

        Raises:
            SandboxUnavailable: the engine failed, or did not answer in time.
        """
        future = self._submit(work)
        deadline_s = timeout_s or self._config.call_timeout_s
        await finish(lambda: asyncio.wait({future}), timeout_s=deadline_s, hurry_s=self._config.hurry_s)
        return _result(future, doing)

    async def address(self) -> tuple[Address, str]:
        """
        Returns: where to open a connection of one's own, and the version of the API that is spoken there.

        Raises:
            SandboxUnavailable: no engine answers.
        """
        version = await self.ask(lambda client: str(client.api_version), "ask the engine for its version")
        return address_of(self._parameters()), version

    def close(self) -> None:
        """Let go of the threads and connections; calls under way end by themselves."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        if self._client is not None:
            self._client.close()

    def _submit(self, work: Callable[[docker.APIClient], T]) -> asyncio.Future[T]:
        future = asyncio.wrap_future(self._pool.submit(lambda: work(self._connected())))
        future.add_done_callback(_retrieve)
        return future

    def _connected(self) -> docker.APIClient:
        with self._lock:
            if self._client is None:
                parameters = self._parameters()
                address_of(parameters).check()
                self._client = docker.APIClient(
                    **parameters,
                    version="auto",
                    timeout=int(self._config.call_timeout_s),
                    max_pool_size=self._config.max_threads,
                )
            return self._client

    def _parameters(self) -> dict[str, Any]:
        """Returns: `base_url` and `tls` as docker-py takes them."""
        environment: dict[str, Any] = {**docker.utils.kwargs_from_env()}
        return {**environment, "base_url": self._config.host} if self._config.host else environment


def _result(future: asyncio.Future[T], doing: str) -> T:
    if not future.done():
        raise unavailable(TimeoutError(), doing)
    try:
        return future.result()
    except TROUBLE as error:
        raise unavailable(error, doing) from error


def _retrieve(future: asyncio.Future[T]) -> None:
    """Take note of the error of a call whose caller has gone, or asyncio would complain of it."""
    if not future.cancelled():
        future.exception()
