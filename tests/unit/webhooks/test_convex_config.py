"""What is taken for the address of a deployment, and for its key."""

from __future__ import annotations

import asyncio

import pytest

from chef_supervisor.webhooks.convex import ConvexReceiver
from chef_supervisor.webhooks.convex_call import FunctionKind, Functions
from chef_supervisor.webhooks.convex_config import ConvexConfig
from tests.kit.hook_kit import FakeResolver
from tests.kit.messages import message


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("https://happy-otter-1.convex.cloud", "happy-otter-1.convex.cloud", 443),
        ("https://happy-otter-1.eu-west-1.convex.cloud/", "happy-otter-1.eu-west-1.convex.cloud", 443),
        ("https://8.8.8.8", "8.8.8.8", 443),
        ("https://xn--a", "xn--a", 443),
        ("http://127.0.0.1:3210", "127.0.0.1", 3210),
        ("http://[::1]:3210", "::1", 3210),
        ("http://10.1.2.3:3210/", "10.1.2.3", 3210),
        ("http://localhost:3210", "localhost", 3210),
        ("http://backend:3210", "backend", 3210),
        ("http://host.docker.internal:3210", "host.docker.internal", 3210),
        ("http://convex.svc.cluster.local", "convex.svc.cluster.local", 80),
    ],
)
def test_functions_are_called_at_the_deployment(url: str, host: str, port: int) -> None:
    target = ConvexConfig(url=url, functions=Functions(kind=FunctionKind.ACTION)).target

    assert (target.host, target.port, target.path) == (host, port, "/api/action")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("", "must be an address such as"),
        ("name.convex.cloud", "must be an address such as"),
        ("ftp://a", "must be an address such as"),
        ("https://", "must have a host"),
        ("https://:b", "must have a port"),
        ("https://a:b", "must have a port"),
        ("https://a b", "must have only characters"),
        ("https://a\n", "must have only characters"),
        ("https://\u00e4.convex.cloud", "write a host in punycode"),
        ("https://user:hidden@a.convex.cloud", "must have no user or password"),
        ("https://a.convex.cloud/hidden", "must have no path and no query"),
        ("https://a.convex.cloud?hidden", "must have no path and no query"),
        ("https://a.convex.cloud/#hidden", "must have no fragment"),
        ("https://a.convex.site", r"must end with \.convex\.cloud"),
        ("http://a.convex.cloud", "must begin with https://"),
        ("http://8.8.8.8:3210", "must begin with https://"),
        ("http://[2606:4700::1]:3210", "must begin with https://"),
        ("http://internal.example.com", "must begin with https://"),
    ],
)
def test_what_is_no_deployment_is_refused_and_not_shown(url: str, told: str) -> None:
    with pytest.raises(ValueError, match=f"^CONVEX_URL .*{told}") as refused:
        ConvexConfig(url=url)

    assert "hidden" not in str(refused.value)


@pytest.mark.parametrize("key", ["secret key", "secret\n", "secret\u00e4"])
def test_what_is_no_key_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(ValueError, match="one line of ASCII") as refused:
        ConvexConfig(url="https://a", deploy_key=key)

    assert "secret" not in str(refused.value)


def test_neither_is_shown_by_the_configuration_itself() -> None:
    assert "secret" not in repr(ConvexConfig(url="https://secret", deploy_key="secret"))


@pytest.mark.asyncio
async def test_a_key_is_not_sent_in_the_clear_to_a_machine_on_the_internet() -> None:
    resolver = FakeResolver([["10.0.0.1", "8.8.8.8"]])
    convex = ConvexReceiver(ConvexConfig(url="http://backend:3210"), resolver=resolver)

    answer = await convex.deliver(message())
    await convex.close()

    assert answer.reason == "refused_by_policy"
    assert resolver.closed


@pytest.mark.asyncio
async def test_every_name_that_is_taken_can_be_asked_for() -> None:
    convex = ConvexReceiver(ConvexConfig(url="https://xn--a", end_s=5.0))

    async with asyncio.timeout(30.0):
        answer = await convex.deliver(message())
    await convex.close()

    assert answer.reason in {"unknown_host", "dns_failed", "timeout", "connect_failed"}
