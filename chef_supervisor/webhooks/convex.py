"""The receiver in Convex: one HTTP request a try, bounded in time and in what is read of the answer."""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Callable, Mapping
from typing import Final

import attrs

from chef_supervisor.domain.delivery import Answer, Answered, Message, ReceiverName
from chef_supervisor.webhooks.convex_advice import Advice
from chef_supervisor.webhooks.convex_answers import answer_of
from chef_supervisor.webhooks.convex_call import Call, Functions, call_of, client_header
from chef_supervisor.webhooks.convex_config import ConvexConfig
from chef_supervisor.webhooks.no_answer import NoAnswer
from chef_supervisor.webhooks.pinned import Pinned
from chef_supervisor.webhooks.resolving import Resolver, SystemResolver
from chef_supervisor.webhooks.sending import Sender, tls_context

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

    `clock`: seconds since the epoch, for a `Retry-After` that is a date. `tls`: what checks certificates. `resolver`:
    what knows the deployment's addresses; it is closed with this.
    """

    config: ConvexConfig
    clock: Callable[[], float] = time.time
    tls: ssl.SSLContext = attrs.field(factory=tls_context)
    resolver: Resolver = attrs.field(factory=SystemResolver, repr=False)
    name: ReceiverName = attrs.field(default=NAME, init=False)
    concurrency: int = attrs.field(default=CONCURRENCY, init=False)
    progress: bool = attrs.field(init=False)
    _advice: Advice = attrs.field(factory=Advice, init=False, repr=False)
    _sender: Sender = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self.progress = self.config.progress
        pinned = Pinned(self.resolver, self.config.may_connect)
        self._sender = Sender(pinned, self.tls, CONCURRENCY, most_body_bytes=MOST_ANSWER_BYTES)

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
        self._advice.note(call.function, answer)
        return answer

    async def close(self) -> None:
        """Let go of its connections."""
        await self._sender.close()

    async def _tried(self, call: Call, deadline_s: float) -> Answer:
        try:
            reply = await self._sender.call(self.config.target, _headers(self.config), call.body, deadline_s)
        except NoAnswer as trouble:
            return Answer(answered=Answered.FAILED, reason=trouble.reason)
        return answer_of(reply, self.clock())


def _headers(config: ConvexConfig) -> Mapping[str, str]:
    headers = {"convex-client": client_header()}
    return headers | ({"authorization": f"Convex {config.deploy_key}"} if config.deploy_key else {})


async def _encoded(message: Message, functions: Functions) -> Call:
    if len(message.result or b"") < _THREAD_FROM_BYTES:
        return call_of(message, functions)
    return await asyncio.to_thread(call_of, message, functions)
