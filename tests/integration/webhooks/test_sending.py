"""The deadline of one request, and the addresses that it is tried at."""

from __future__ import annotations

import asyncio
import logging
import ssl

import pytest

from chef_supervisor.domain.delivery import EventKind
from chef_supervisor.webhooks.endpoint import END_DEADLINE_S, OTHER_DEADLINE_S
from chef_supervisor.webhooks.no_answer import NoAnswer
from chef_supervisor.webhooks.pinned import Pinned
from chef_supervisor.webhooks.reading import Reply
from chef_supervisor.webhooks.sending import Sender
from chef_supervisor.webhooks.target import Target
from tests.kit import raw_web as web
from tests.kit.hook_kit import LOOPBACK, FakeResolver, an_endpoint
from tests.kit.messages import message
from tests.kit.raw_web import Answering, raw_web, says

# Long enough to connect to a server of this process.
SHORT_S = 0.5
# Nobody has it: what is sent there vanishes, or is refused at once.
NOBODY = "240.0.0.1"


def target(port: int) -> Target:
    return Target(scheme="http", host="hooks.example.com", port=port, path="/secret-path")


def sender(*addresses: str) -> Sender:
    pinned = Pinned(FakeResolver([list(addresses)]), lambda _: True)
    return Sender(pinned, ssl.create_default_context(), 1)


@pytest.mark.parametrize("answering", [web.silence, web.drip_its_head])
@pytest.mark.asyncio
async def test_the_deadline_is_of_the_whole_and_not_of_each_byte(answering: Answering) -> None:
    sending = sender(LOOPBACK)

    async with raw_web(answering) as server:
        with pytest.raises(NoAnswer) as trouble:
            await sending.post(target(server.port), {}, b"{}", SHORT_S)
        await sending.close()

    assert trouble.value.reason == "timeout"


@pytest.mark.asyncio
async def test_a_resolver_that_does_not_answer_is_within_the_deadline() -> None:
    class Silent(FakeResolver):
        async def resolve(self, host: str, port: int) -> list[str]:
            await asyncio.get_running_loop().create_future()
            raise AssertionError

    sending = Sender(Pinned(Silent([None]), lambda _: True), ssl.create_default_context(), 1)

    with pytest.raises(NoAnswer, match="timeout"):
        await sending.post(target(1), {}, b"{}", 0.01)
    await sending.close()


@pytest.mark.asyncio
async def test_another_address_is_tried_where_the_first_takes_no_connection() -> None:
    async with raw_web(says(200)) as server:
        sending = sender("127.0.0.3", NOBODY, LOOPBACK)

        assert await sending.post(target(server.port), {}, b"{}", 5.0) == Reply(status=200)
        await sending.close()

    assert server.connections == 1


@pytest.mark.asyncio
async def test_no_other_address_is_tried_where_the_request_may_have_arrived() -> None:
    async with raw_web(web.reset) as server:
        sending = sender(LOOPBACK, LOOPBACK)

        with pytest.raises(NoAnswer, match="connection_lost"):
            await sending.post(target(server.port), {}, b"{}", 5.0)
        await sending.close()

    assert len(server.received) == 1


@pytest.mark.asyncio
async def test_nothing_is_logged_that_tells_where_it_went(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async with raw_web(says(200)) as server:
        sending = sender(LOOPBACK)
        await sending.post(target(server.port), {"webhook-signature": "v1,x"}, b"{}", 5.0)
        await sending.close()

    assert [record for record in caplog.records if record.name != "asyncio"] == []


@pytest.mark.parametrize("kind", list(EventKind))
@pytest.mark.asyncio
async def test_an_end_has_more_time_than_what_soon_has_a_successor(
    kind: EventKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[float] = []

    async def post(_self: object, _target: object, _headers: object, _body: bytes, deadline_s: float) -> Reply:
        given.append(deadline_s)
        return Reply(status=200)

    monkeypatch.setattr(Sender, "post", post)

    async with an_endpoint("http://127.0.0.1:1/") as endpoint:
        await endpoint.deliver(message(kind))

    assert given == [END_DEADLINE_S if kind.terminal else OTHER_DEADLINE_S]
    assert (END_DEADLINE_S, OTHER_DEADLINE_S) == (15.0, 5.0)


@pytest.mark.asyncio
async def test_a_name_that_nobody_has_is_not_known() -> None:
    async with an_endpoint("http://nobody.invalid/") as endpoint:
        answer = await endpoint.deliver(message())

    assert answer.reason in {"unknown_host", "dns_failed"}
