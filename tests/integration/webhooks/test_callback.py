"""Callbacks: to the checked address of a listed host alone, over TLS that is checked for its name."""

from __future__ import annotations

import attrs
import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from chef_supervisor.domain.delivery import Answer, Answered
from chef_supervisor.webhooks.endpoint import Callback
from chef_supervisor.webhooks.receiver import Receiver
from tests.kit.hook_kit import (
    CALLBACK_SECRET,
    HOST,
    LOOPBACK,
    Authority,
    FakeResolver,
    a_callback,
    secret_of,
    told,
)
from tests.kit.raw_web import raw_web, says

TAKEN = Answer(answered=Answered.TAKEN, shared=True)
REFUSED = Answer(answered=Answered.FAILED, reason="refused_by_policy", shared=True)


def failed(reason: str) -> Answer:
    return Answer(answered=Answered.FAILED, reason=reason, shared=True)


def resolver_of(callback: Callback) -> FakeResolver:
    resolver = callback.sender._pinned.resolver
    assert isinstance(resolver, FakeResolver)
    return resolver


@pytest.mark.asyncio
async def test_the_name_is_kept_where_the_address_is_connected_to() -> None:
    authority = Authority()

    async with raw_web(says(200), authority.server()) as server, a_callback(server.port, authority) as callback:
        assert await callback.deliver(told(server.port, "/a?b=c")) == TAKEN

    (request,) = server.received
    assert callback.name == f"callback.{HOST}"
    assert request.headers["host"] == f"{HOST}:{server.port}"
    assert server.server_names == [HOST]
    assert request.target == "/a?b=c"


@pytest.mark.asyncio
async def test_the_name_is_resolved_at_every_try_and_a_bad_answer_is_not_connected_to() -> None:
    authority = Authority()
    answers: list[list[str] | None] = [[LOOPBACK], ["169.254.169.254"], ["127.0.0.2"], ["::1"], None, [], [LOOPBACK]]

    async with (
        raw_web(says(200), authority.server()) as server,
        a_callback(server.port, authority, *answers) as callback,
    ):
        said = [await callback.deliver(told(server.port)) for _ in answers]

        unknown = failed("unknown_host")
        assert said == [TAKEN, REFUSED, REFUSED, REFUSED, unknown, unknown, TAKEN]
        assert resolver_of(callback).asked == [HOST] * 7

    assert len(server.received) == 2


@pytest.mark.parametrize("other", ["10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "127.0.0.2", "fe80::1%lo"])
@pytest.mark.asyncio
async def test_one_bad_address_among_good_ones_is_enough(other: str) -> None:
    authority = Authority()

    async with raw_web(says(200), authority.server()) as server:
        for answer in ([LOOPBACK, other], [other, LOOPBACK]):
            async with a_callback(server.port, authority, answer) as callback:
                assert await callback.deliver(told(server.port)) == REFUSED

    assert server.connections == 0


@pytest.mark.asyncio
async def test_a_redirect_to_the_metadata_address_is_a_failure_and_nobody_asks_for_its_name() -> None:
    authority = Authority()
    redirect = says(302, {"location": "http://169.254.169.254/latest/meta-data/"})

    async with raw_web(redirect, authority.server()) as server, a_callback(server.port, authority) as callback:
        assert await callback.deliver(told(server.port)) == failed("redirect")
        assert resolver_of(callback).asked == [HOST]


@pytest.mark.asyncio
async def test_an_expired_certificate_is_not_believed() -> None:
    authority = Authority()

    expired = authority.server(expired=True)

    async with raw_web(says(200), expired) as server, a_callback(server.port, authority) as callback:
        assert await callback.deliver(told(server.port)) == failed("tls_error")
        assert server.received == []


@pytest.mark.asyncio
async def test_a_certificate_for_another_name_or_by_somebody_unknown_is_not_believed() -> None:
    authority = Authority()

    for context in (authority.server("hooks.example.org"), authority.server(LOOPBACK), Authority().server()):
        async with raw_web(says(200), context) as server, a_callback(server.port, authority) as callback:
            assert await callback.deliver(told(server.port)) == failed("tls_error")
            assert server.received == []


@pytest.mark.asyncio
async def test_an_address_that_is_not_taken_any_more_is_judged_again() -> None:
    authority = Authority()

    async with raw_web(says(200), authority.server()) as server, a_callback(server.port, authority) as callback:
        for url in (f"http://{HOST}:{server.port}/", f"https://{LOOPBACK}:{server.port}/", "", "https://evil.example/"):
            assert await callback.deliver(attrs.evolve(told(server.port), url=url)) == REFUSED
        assert resolver_of(callback).asked == []


@pytest.mark.asyncio
async def test_connections_of_one_host_are_not_used_for_another() -> None:
    authority = Authority()

    async with raw_web(says(200), authority.server()) as server, a_callback(server.port, authority) as callback:
        await callback.deliver(told(server.port))
        other = attrs.evolve(told(server.port), url=f"https://other.example.org:{server.port}/")

        assert await callback.deliver(other) == REFUSED


@pytest.mark.asyncio
async def test_closing_a_receiver_lets_go_of_its_resolver_too() -> None:
    async with a_callback(443, Authority()) as callback:
        receiver: Receiver = callback
        await receiver.close()

    assert resolver_of(callback).closed


@pytest.mark.asyncio
async def test_a_host_knows_the_secret_of_no_other() -> None:
    authority = Authority()

    async with raw_web(says(200), authority.server()) as server, a_callback(server.port, authority) as callback:
        await callback.deliver(told(server.port))

    [request] = server.received
    Webhook(secret_of(HOST)).verify(request.body, dict(request.headers))
    for other in (CALLBACK_SECRET, secret_of("other.example.org")):
        with pytest.raises(WebhookVerificationError):
            Webhook(other).verify(request.body, dict(request.headers))


@pytest.mark.asyncio
async def test_what_one_of_those_who_share_a_host_brings_about_holds_for_its_own_delivery() -> None:
    authority = Authority()
    busy = says(429, {"retry-after": "3600"})

    async with raw_web(busy, authority.server()) as server, a_callback(server.port, authority) as callback:
        answer = await callback.deliver(told(server.port))

    assert (answer.shared, answer.throttled, answer.retry_after_s) == (True, True, 3600.0)
