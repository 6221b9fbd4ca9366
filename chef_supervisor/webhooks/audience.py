"""Who is told of a job: what the settings say, and what the job asks for itself."""

from __future__ import annotations

import hashlib
from typing import Final

import attrs

from chef_supervisor.domain.errors import Unprocessable
from chef_supervisor.domain.subscriber import ReceiverName, Subscriber
from chef_supervisor.settings import Settings, WebhookSettings
from chef_supervisor.webhooks.policy import CallbackRules, callback_name, parse_hosts

CONVEX: Final = ReceiverName("convex")
# The endpoint of the settings; there is one.
ENDPOINT: Final = "default"


@attrs.frozen(kw_only=True)
class Audience:
    """
    `standing`: told of every job. `callbacks`: what holds for the address that a job brings.

    `callback_progress`: callbacks are told of starts and progress too.
    """

    standing: tuple[Subscriber, ...] = ()
    callbacks: CallbackRules = attrs.field(factory=CallbackRules)
    callback_progress: bool = True

    def subscribers(self, callback_url: str | None, *, progress: bool) -> tuple[Subscriber, ...]:
        """
        Returns: whom the job is told to. `progress`: whether it may be told of before its end; the settings may not.

        Raises:
            Unprocessable: the address is not taken.
        """
        called = () if callback_url is None else (self._callback(callback_url),)
        return tuple(attrs.evolve(one, progress=one.progress and progress) for one in (*self.standing, *called))

    def again(self, subscribers: tuple[Subscriber, ...]) -> tuple[Subscriber, ...]:
        """
        Returns: them, whom a job was told to that is repeated.

        Raises:
            Unprocessable: the address that it brought is not taken any more.
        """
        for one in subscribers:
            if one.url:
                self._accept_again(one.url)
        return subscribers

    def _accept_again(self, url: str) -> None:
        try:
            self.callbacks.accept(url)
        except Unprocessable as error:
            told = f"of the job that is to be repeated: {error.detail}; without it, submit the job anew"
            raise attrs.evolve(error, detail=told) from None

    def _callback(self, url: str) -> Subscriber:
        host = self.callbacks.accept(url).host
        return Subscriber(receiver=callback_name(host), progress=self.callback_progress, url=url)


def audience_of(settings: Settings) -> Audience:
    """
    Returns: what the settings say.

    Raises:
        Misconfigured: a host that may be called back is none.
    """
    convex, webhooks = settings.convex, settings.webhooks
    told = [Subscriber(receiver=CONVEX, progress=convex.progress)] if convex.url else []
    if webhooks.url:
        told.append(Subscriber(receiver=ReceiverName(f"hook.{ENDPOINT}"), progress=webhooks.progress))
    return Audience(
        standing=tuple(told), callbacks=callback_rules(webhooks), callback_progress=webhooks.callback_progress
    )


def addresses_of(settings: Settings) -> dict[ReceiverName, str]:
    """Returns: of each receiver of the settings what stands for its address, which may hold a secret."""
    urls = {CONVEX: settings.convex.url, ReceiverName(f"hook.{ENDPOINT}"): settings.webhooks.url}
    return {name: hashlib.sha256(url.encode()).hexdigest()[:16] for name, url in urls.items() if url}


def callback_rules(webhooks: WebhookSettings) -> CallbackRules:
    """
    Returns: which addresses jobs may bring.

    Raises:
        Misconfigured: a host of the list is none.
    """
    return CallbackRules(parse_hosts("webhooks.callback_hosts", webhooks.callback_hosts))
