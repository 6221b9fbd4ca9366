"""Signed requests to endpoints of the configuration, on real sockets."""

from __future__ import annotations

import gzip

import orjson
import pytest

from chef_supervisor.domain.delivery import Answer, Answered, EventKind
from chef_supervisor.domain.errors import Misconfigured
from chef_supervisor.webhooks.endpoint import endpoint_target
from tests.kit import raw_web as web
from tests.kit.hook_kit import an_endpoint
from tests.kit.messages import message
from tests.kit.raw_web import Answering, raw_web, says

TAKEN = Answer(answered=Answered.TAKEN)


def failed(reason: str) -> Answer:
    return Answer(answered=Answered.FAILED, reason=reason)


async def answer_to(answering: Answering) -> Answer:
    async with raw_web(answering) as server, an_endpoint(f"http://127.0.0.1:{server.port}/hook") as endpoint:
        answer = await endpoint.deliver(message())
        assert len(server.received) == 1
        return answer


@pytest.mark.asyncio
async def test_a_request_says_what_it_must_and_nothing_else() -> None:
    async with raw_web(says(204)) as server, an_endpoint(f"http://127.0.0.1:{server.port}/a%20b?c=d") as endpoint:
        assert await endpoint.deliver(message(result={"verdict": "passed"})) == TAKEN

    (request,) = server.received
    assert request.target == "/a%20b?c=d"
    assert request.headers["host"] == f"127.0.0.1:{server.port}"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["accept-encoding"] == "identity"
    assert request.headers["user-agent"].startswith("chef-supervisor/")
    assert set(request.names) == {
        *("host", "content-type", "content-length", "accept", "accept-encoding", "user-agent"),
        *("webhook-id", "webhook-timestamp", "webhook-signature"),
    }
    assert orjson.loads(request.body)["data"]["result"] == {"verdict": "passed"}


@pytest.mark.parametrize("path", ["/..//../a/./b", "//a", "/a/%2e%2e/b?c=/../d", "/?"])
@pytest.mark.asyncio
async def test_the_path_is_sent_as_it_was_written(path: str) -> None:
    async with raw_web(says(204)) as server, an_endpoint(f"http://127.0.0.1:{server.port}{path}") as endpoint:
        assert await endpoint.deliver(message()) == TAKEN

    assert [request.target for request in server.received] == [path]


@pytest.mark.asyncio
async def test_each_try_has_the_same_id_and_body_and_a_time_of_its_own() -> None:
    async with raw_web(says(500)) as server, an_endpoint(f"http://localhost:{server.port}/") as endpoint:
        for now_s in (1_795_000_000.9, 1_795_000_005.0):
            endpoint.clock = lambda now_s=now_s: now_s  # type: ignore[misc]
            assert await endpoint.deliver(message()) == failed("http_500")

    first, second = server.received
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == message().event_id
    assert [one.headers["webhook-timestamp"] for one in (first, second)] == ["1795000000", "1795000005"]
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]


@pytest.mark.asyncio
async def test_a_connection_is_used_again_after_an_answer_that_was_read_whole() -> None:
    async with raw_web(says(200, body=b"ok")) as server, an_endpoint(f"http://127.0.0.1:{server.port}") as endpoint:
        for kind in EventKind:
            assert await endpoint.deliver(message(kind)) == TAKEN

    assert server.connections == 1


@pytest.mark.asyncio
async def test_cookies_are_not_kept() -> None:
    setting = says(200, {"set-cookie": "a=b; path=/"})

    async with raw_web(setting) as server, an_endpoint(f"http://127.0.0.1:{server.port}/") as endpoint:
        await endpoint.deliver(message())
        await endpoint.deliver(message())

    assert "cookie" not in server.received[1].headers


@pytest.mark.asyncio
async def test_the_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with raw_web(says(502)) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.delenv("no_proxy", raising=False)

        assert await answer_to(says(200)) == TAKEN

    assert proxy.received == []


@pytest.mark.asyncio
async def test_an_overloaded_receiver_says_for_how_long_in_seconds_or_by_a_date() -> None:
    in_seconds = says(429, {"retry-after": "17"})

    async with raw_web(in_seconds) as server, an_endpoint(f"http://127.0.0.1:{server.port}/") as endpoint:
        endpoint.clock = lambda: 1_795_435_200.0
        by_seconds = await endpoint.deliver(message())
        server.answering = says(503, {"retry-after": "Mon, 23 Nov 2026 12:02:00 GMT"})
        by_date = await endpoint.deliver(message())

    assert by_seconds == Answer(answered=Answered.FAILED, reason="http_429", throttled=True, retry_after_s=17.0)
    assert by_date == Answer(answered=Answered.FAILED, reason="http_503", throttled=True, retry_after_s=120.0)


@pytest.mark.asyncio
async def test_410_ends_it() -> None:
    assert await answer_to(says(410)) == Answer(answered=Answered.GONE, reason="http_410")


@pytest.mark.asyncio
async def test_a_redirect_is_not_followed() -> None:
    async with raw_web(says(200)) as elsewhere:
        answer = await answer_to(says(307, {"location": f"http://127.0.0.1:{elsewhere.port}/"}))

    assert answer == failed("redirect")
    assert elsewhere.connections == 0


@pytest.mark.parametrize(
    "answering", [web.reset, web.nonsense, web.half_an_answer, web.flood_of_headers, web.flood_of_heads]
)
@pytest.mark.asyncio
async def test_a_connection_that_breaks_is_a_failure(answering: Answering) -> None:
    assert await answer_to(answering) == failed("connection_lost")


@pytest.mark.asyncio
async def test_nobody_listening_is_a_failure() -> None:
    async with raw_web(says(200)) as server:
        port = server.port
    async with an_endpoint(f"http://127.0.0.1:{port}/") as endpoint:
        assert await endpoint.deliver(message()) == failed("connect_failed")


@pytest.mark.parametrize("answering", [web.flood, web.drip_its_body])
@pytest.mark.asyncio
async def test_an_answer_without_an_end_is_known_by_its_status(answering: Answering) -> None:
    assert await answer_to(answering) == TAKEN


@pytest.mark.asyncio
async def test_a_compressed_answer_is_not_looked_into() -> None:
    bomb = gzip.compress(bytes(50_000_000))

    assert await answer_to(says(200, {"content-encoding": "gzip"}, bomb)) == TAKEN


@pytest.mark.asyncio
async def test_a_receiver_that_refuses_before_it_has_read_all_is_heard() -> None:
    large = message(result={"output": {"head": "a" * 900_000}})

    async with raw_web(says(413)) as server, an_endpoint(f"http://127.0.0.1:{server.port}/") as endpoint:
        assert await endpoint.deliver(large) == failed("http_413")

    assert len(server.received[0].body) > 900_000


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("ftp://example.com/", "must be an address such as"),
        ("http://user:hunter2@example.com/", "must have no user or password"),
        ("http://example.com/hunter2#", "must have no fragment"),
        ("http://exa mple.com/", "must have only characters"),
    ],
)
def test_an_endpoint_at_no_address_is_refused_without_showing_it(url: str, sentence: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        endpoint_target("webhooks.ops.url", url)

    (fault,) = refused.value.faults
    assert fault.startswith(f"webhooks.ops.url: {sentence}")
    assert "hunter2" not in fault


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/x", "http://[::1]:9/", "http://localhost", "https://a-b.internal"])
def test_an_endpoint_may_be_anywhere(url: str) -> None:
    assert endpoint_target("url", url).host in url
