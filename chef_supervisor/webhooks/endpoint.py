"""Receivers of signed HTTP requests: endpoints of the configuration, and the hosts that jobs ask to be called back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

import attrs

from chef_supervisor.domain.delivery import Answer, Answered, Message, ReceiverName
from chef_supervisor.domain.errors import Misconfigured, Unprocessable
from chef_supervisor.webhooks.event_body import event_body
from chef_supervisor.webhooks.no_answer import NoAnswer
from chef_supervisor.webhooks.policy import CallbackRules, callback_name
from chef_supervisor.webhooks.sending import Sender
from chef_supervisor.webhooks.signing import Secrets
from chef_supervisor.webhooks.target import BadUrl, Target, parse_target
from chef_supervisor.webhooks.verdict import verdict

# Source: Standard Webhooks 1.0.0 names 15 to 30 s. A start or a progress soon has a successor.
END_DEADLINE_S: Final = 15.0
OTHER_DEADLINE_S: Final = 5.0
# From here on making the body takes milliseconds, which the event loop must not stand still for.
_THREAD_FROM_BYTES: Final = 128 * 1024

Clock = Callable[[], float]


@attrs.define(eq=False, kw_only=True)
class Endpoint:
    """
    A `Receiver` of the configuration: the operator's own choice, so also http, private addresses and any port.

    `clock`: the wall clock in seconds since the epoch, by which receivers judge whether a request is fresh.
    """

    name: ReceiverName
    target: Target
    secrets: Secrets
    sender: Sender
    concurrency: int = 8
    progress: bool = True
    clock: Clock = time.time

    async def deliver(self, message: Message) -> Answer:
        """Tell it once."""
        return await _deliver(self, self.target, message)

    async def close(self) -> None:
        """Close its connections."""
        await self.sender.close()


@attrs.define(eq=False, kw_only=True)
class Callback:
    """
    A `Receiver` for all callbacks to one host; where exactly stands in each message, and is judged again at every try.

    `secrets`: the host's own (`Secrets.for_host`), so that it can sign nothing for another.
    """

    host: str
    rules: CallbackRules
    secrets: Secrets
    sender: Sender
    concurrency: int = 8
    progress: bool = True
    clock: Clock = time.time
    name: ReceiverName = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.name = callback_name(self.host)

    async def deliver(self, message: Message) -> Answer:
        """Tell it once, where its address is taken still. Whoever may submit jobs shares the host."""
        return attrs.evolve(await self._answer(message), shared=True)

    async def _answer(self, message: Message) -> Answer:
        try:
            target = self.rules.accept(message.url)
        except Unprocessable:
            return _failed("refused_by_policy")
        # The connections of one host are checked for its name alone.
        return await _deliver(self, target, message) if target.host == self.host else _failed("refused_by_policy")

    async def close(self) -> None:
        """Close its connections."""
        await self.sender.close()


def endpoint_target(setting: str, url: str) -> Target:
    """
    Returns: where a configured endpoint is.

    Raises:
        Misconfigured: it is no address of one.
    """
    try:
        return parse_target(url)
    except BadUrl as error:
        # The address itself may hold a secret.
        raise Misconfigured((f"{setting}: {error}",)) from None


async def _deliver(receiver: Endpoint | Callback, target: Target, message: Message) -> Answer:
    body = await _body(message)
    headers = receiver.secrets.headers(message.event_id, int(receiver.clock()), body)
    deadline_s = END_DEADLINE_S if message.kind.terminal else OTHER_DEADLINE_S
    try:
        reply = await receiver.sender.post(target, headers, body, deadline_s)
    except NoAnswer as trouble:
        return _failed(trouble.reason)
    return verdict(reply, receiver.clock())


async def _body(message: Message) -> bytes:
    if message.result is None or len(message.result) < _THREAD_FROM_BYTES:
        return event_body(message)
    return await asyncio.to_thread(event_body, message)


def _failed(reason: str) -> Answer:
    return Answer(answered=Answered.FAILED, reason=reason)
