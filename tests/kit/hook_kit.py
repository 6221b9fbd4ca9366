"""Endpoints and callbacks for tests: names that lead to the loopback interface, and certificates of our own."""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

import attrs
import trustme

from chef_supervisor.domain.delivery import Message
from chef_supervisor.webhooks.addresses import may_be_called
from chef_supervisor.webhooks.endpoint import Callback, Endpoint, endpoint_target
from chef_supervisor.webhooks.making import make_callback, make_endpoint
from chef_supervisor.webhooks.policy import CallbackRules
from chef_supervisor.webhooks.signing import parse_secrets
from tests.kit.messages import message

SECRET: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
# What the secrets of hosts that are called back are made of: see `secret_of`.
CALLBACK_SECRET: Final = "whsec_b25lIGZvciBjYWxsYmFja3MgYWxvbmUu"
HOST: Final = "hooks.example.com"
LOOPBACK: Final = "127.0.0.1"


@attrs.define
class FakeResolver:
    """`answers`: what is said to the questions in turn, the last for ever; None where nobody knows the name."""

    answers: list[Sequence[str] | None]
    asked: list[str] = attrs.field(factory=list)
    closed: bool = False

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is None:
            raise socket.gaierror(socket.EAI_NONAME, "not known")
        return answer

    def close(self) -> None:
        self.closed = True


@attrs.frozen
class Authority:
    """Whom the senders of a test believe."""

    ca: trustme.CA = attrs.field(factory=trustme.CA)

    def server(self, host: str = HOST, *, expired: bool = False) -> ssl.SSLContext:
        """Returns: what a server of that name needs."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.certify(context, host, expired=expired)
        return context

    def certify(self, context: ssl.SSLContext, host: str, *, expired: bool = False) -> None:
        """Have the server show another certificate from its next connection on."""
        until = datetime.now(UTC) - timedelta(days=1) if expired else None
        since = datetime.now(UTC) - timedelta(days=9) if expired else None
        self.ca.issue_cert(host, not_before=since, not_after=until).configure_cert(context)

    def client(self) -> ssl.SSLContext:
        """Returns: what believes this authority and no other."""
        context = ssl.create_default_context(cafile=None, cadata=self.ca.cert_pem.bytes().decode())
        self.ca.configure_trust(context)
        return context


def secret_of(host: str) -> str:
    """Returns: what is verified there: at an endpoint of the settings, by its address, or at a host that is called back."""
    if host == LOOPBACK:
        return SECRET
    [text] = parse_secrets("secrets", [CALLBACK_SECRET]).for_host(host).texts()
    return text


def may_connect(address: str) -> bool:
    """The rules of callbacks, and the one address that tests listen on."""
    return address == LOOPBACK or may_be_called(address)


@asynccontextmanager
async def an_endpoint(url: str, *, secrets: Sequence[str] = (SECRET,)) -> AsyncIterator[Endpoint]:
    """An endpoint at that address, by the real resolver."""
    endpoint = make_endpoint(
        "ops",
        endpoint_target("url", url),
        parse_secrets("secrets", secrets),
        tls=ssl.create_default_context(),
        progress=True,
        concurrency=8,
    )
    try:
        yield endpoint
    finally:
        await endpoint.close()


@asynccontextmanager
async def a_callback(
    port: int, authority: Authority, *answers: Sequence[str] | None, host: str = HOST
) -> AsyncIterator[Callback]:
    """Callbacks to a host whose name stands for these addresses (default: where the test listens)."""
    callback = make_callback(
        host,
        CallbackRules((HOST, "*.example.org"), frozenset({443, port})),
        parse_secrets("secrets", [CALLBACK_SECRET]),
        tls=authority.client(),
        concurrency=8,
        resolver=FakeResolver(list(answers or [[LOOPBACK]])),
        may_connect=may_connect,
    )
    try:
        yield callback
    finally:
        await callback.close()


def told(port: int, path: str = "/") -> Message:
    """Returns: a message for a callback to the port."""
    return message(url=f"https://{HOST}:{port}{path}", result={"verdict": "passed"})
