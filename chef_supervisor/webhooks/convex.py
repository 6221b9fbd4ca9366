"""The receiver in Convex: one HTTP request a try, bounded in time and in what is read of the answer."""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Callable, Mapping
from typing import Final

import attrs
import httpx

from chef_supervisor.domain.delivery import Answer, Answered, Message, ReceiverName
from chef_supervisor.webhooks.convex_answers import Reply, answer_of
from chef_supervisor.webhooks.convex_call import Call, Functions, call_of, client_header
from chef_supervisor.webhooks.convex_config import ConvexConfig
from chef_supervisor.webhooks.sending import tls_context

NAME: Final = ReceiverName("convex")
# A half of the mutations that the smallest plan runs at a time (https://docs.convex.dev/production/state/limits).
CONCURRENCY: Final = 8
MOST_ANSWER_BYTES: Final = 64 * 1024
# From here on it takes milliseconds, which the event loop must not stand still for.
_THREAD_FROM_BYTES: Final = 64 * 1024
_LOG: Final = logging.getLogger(__name__)


@attrs.define(eq=False)
class ConvexReceiver:
    """
    A `Receiver`: the functions of one Convex deployment.

    `clock`: seconds since the epoch, for a `Retry-After` that is a date. `tls`: what checks certificates.
    """

    config: ConvexConfig
    clock: Callable[[], float] = time.time
    tls: ssl.SSLContext = attrs.field(factory=tls_context)
    name: ReceiverName = attrs.field(default=NAME, init=False)
    concurrency: int = attrs.field(default=CONCURRENCY, init=False)
    progress: bool = attrs.field(init=False)
    _transport: httpx.AsyncHTTPTransport = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self.progress = self.config.progress
        limits = httpx.Limits(max_connections=CONCURRENCY)
        # Without httpx's client there are no redirects, cookies, proxies of the environment, nor decompression.
        self._transport = httpx.AsyncHTTPTransport(verify=self.tls, trust_env=False, limits=limits)

    async def deliver(self, message: Message) -> Answer:
        """
        Call the function that the message is for, once. Never raises for what the network or Convex does.

        Returns: `function_failed` where the user's function threw, or there is none of that name. A call that timed out
            may have been taken all the same: the function is to ignore what it knows (docs/convex.md).
        """
        call = await _encoded(message, self.config.functions)
        answer = await self._tried(call, self.config.end_s if message.kind.terminal else self.config.progress_s)
        _LOG.debug(
            "convex: %s of %s: %s",
            call.function,
            message.job_id,
            answer.reason or answer.answered,
            extra={"event": "convex.answered", "job_id": message.job_id, "function": call.function},
        )
        return answer

    async def close(self) -> None:
        """Let go of its connections."""
        await self._transport.aclose()

    async def _tried(self, call: Call, deadline_s: float) -> Answer:
        try:
            async with asyncio.timeout(deadline_s):
                return answer_of(await self._post(call.body), self.clock())
        except (TimeoutError, httpx.TimeoutException):
            return _failed("timeout")
        except httpx.ConnectError:
            return _failed("connect_failed")
        except (httpx.TransportError, OSError):
            return _failed("connection_lost")

    async def _post(self, body: bytes) -> Reply:
        url = f"{self.config.url}/api/{self.config.functions.kind}"
        request = httpx.Request("POST", url, headers=_headers(self.config), content=body)
        response = await self._transport.handle_async_request(request)
        try:
            content, whole = await _beginning(response)
        finally:
            await response.aclose()
        retry_after = response.headers.get("retry-after", "")
        return Reply(status=response.status_code, retry_after=retry_after, body=content, whole=whole)


def _headers(config: ConvexConfig) -> Mapping[str, str]:
    headers = {
        "Content-Type": "application/json",
        "Convex-Client": client_header(),
        # What comes is read as it comes: nothing is unpacked, so nothing can grow by it.
        "Accept-Encoding": "identity",
    }
    return headers | ({"Authorization": f"Convex {config.deploy_key}"} if config.deploy_key else {})


async def _encoded(message: Message, functions: Functions) -> Call:
    if len(message.result or b"") < _THREAD_FROM_BYTES:
        return call_of(message, functions)
    return await asyncio.to_thread(call_of, message, functions)


async def _beginning(response: httpx.Response) -> tuple[bytes, bool]:
    """Returns: the body's beginning, packed where the other side packs it, and whether that is all of it."""
    content = b""
    async for chunk in response.aiter_raw():
        content += chunk
        if len(content) > MOST_ANSWER_BYTES:
            return content[:MOST_ANSWER_BYTES], False
    return content, True


def _failed(reason: str) -> Answer:
    return Answer(answered=Answered.FAILED, reason=reason)
