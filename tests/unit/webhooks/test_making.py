"""Receivers as they are put together."""

from __future__ import annotations

import ssl

import pytest

from chef_supervisor.webhooks.addresses import may_be_called
from chef_supervisor.webhooks.endpoint import endpoint_target
from chef_supervisor.webhooks.making import make_callback, make_endpoint
from chef_supervisor.webhooks.policy import CallbackRules
from chef_supervisor.webhooks.receiver import Receiver
from chef_supervisor.webhooks.signing import Secrets

SECRETS = Secrets((bytes(24),))


@pytest.mark.asyncio
async def test_an_endpoint_is_as_it_is_configured_and_may_be_anywhere() -> None:
    target, tls = endpoint_target("url", "http://10.0.0.1:9/"), ssl.create_default_context()

    made = make_endpoint("ops", target, SECRETS, tls=tls, progress=False, concurrency=3)

    receiver: Receiver = made
    assert (receiver.name, receiver.progress, receiver.concurrency) == ("hook.ops", False, 3)
    assert made.sender._pinned.may_connect("10.0.0.1")
    await receiver.close()


@pytest.mark.asyncio
async def test_a_callback_is_named_by_its_host_and_may_not_be_anywhere() -> None:
    rules, tls = CallbackRules(("hooks.example.com",)), ssl.create_default_context()

    made = make_callback("hooks.example.com", rules, SECRETS, tls=tls, concurrency=3)

    receiver: Receiver = made
    assert (receiver.name, receiver.progress, receiver.concurrency) == ("callback.hooks.example.com", True, 3)
    assert made.sender._pinned.may_connect is may_be_called
    await receiver.close()
