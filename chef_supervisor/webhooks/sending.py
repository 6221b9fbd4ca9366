"""One POST to one receiver: to a checked address, within a deadline, with no more of the answer read than is needed."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import httpcore
import httpx

from chef_supervisor import __version__
from chef_supervisor.webhooks.bounded_network import BoundedNetwork
from chef_supervisor.webhooks.no_answer import NoAnswer
from chef_supervisor.webhooks.pinned import Pinned
from chef_supervisor.webhooks.reading import Reply, read_a_little, read_beginning, reply_of
from chef_supervisor.webhooks.target import Target

# Of all heads of one answer, and of what stands between the parts of its body.
_MOST_HEAD_BYTES: Final = 32 * 1024
# Where the status is the answer, the rest is read for the next request's sake, where it comes at once.
_MOST_REST_S: Final = 1.0
_REST_SHARE: Final = 0.1
# Many servers close a quiet connection after 5 s; a request must not meet that.
_KEPT_S: Final = 2.0
_HEADERS: Final = {
    "content-type": "application/json",
    "accept": "*/*",
    # What is not decompressed should not come compressed.
    "accept-encoding": "identity",
    "user-agent": f"chef-supervisor/{__version__}",
}


def tls_context() -> ssl.SSLContext:
    """Returns: what checks certificates, by the authorities of certifi or those that SSL_CERT_FILE names."""
    return httpx.create_ssl_context()


class Sender:
    """
    Sends to one host alone: a connection is kept for its address, and was checked for one name only.

    httpcore is used without httpx, so there are no redirects, cookies, proxies of the environment or decompression, and
    the path is sent as it was checked. `most_body_bytes`: of what `call` returns.
    """

    def __init__(self, pinned: Pinned, tls: ssl.SSLContext, kept_connections: int, *, most_body_bytes: int = 0) -> None:
        self._pinned = pinned
        self._most_body_bytes = most_body_bytes
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls,
            max_connections=None,
            max_keepalive_connections=kept_connections,
            keepalive_expiry=_KEPT_S,
            network_backend=BoundedNetwork(_MOST_HEAD_BYTES + most_body_bytes),
        )

    async def post(self, target: Target, headers: Mapping[str, str], body: bytes, deadline_s: float) -> Reply:
        """
        Send once, and at most once in whole: another address is tried only where none was connected to.

        Returns: the status; nothing of the body.

        Raises:
            NoAnswer: there was no answer within the deadline, whatever the reason.
        """
        rest_s = min(_MOST_REST_S, deadline_s * _REST_SHARE)
        with _troubles():
            async with asyncio.timeout(deadline_s - rest_s):
                response = await self._response(target, headers, body, deadline_s)
        await read_a_little(response, rest_s)
        return reply_of(response)

    async def call(self, target: Target, headers: Mapping[str, str], body: bytes, deadline_s: float) -> Reply:
        """
        Send as `post` does.

        Returns: the status and the body's beginning.

        Raises:
            NoAnswer: that was not there within the deadline.
        """
        with _troubles():
            async with asyncio.timeout(deadline_s):
                response = await self._response(target, headers, body, deadline_s)
                content, whole = await read_beginning(response, self._most_body_bytes)
        return reply_of(response, content, whole=whole)

    async def close(self) -> None:
        """Close all connections."""
        self._pinned.resolver.close()
        await self._pool.aclose()

    async def _response(
        self, target: Target, headers: Mapping[str, str], body: bytes, deadline_s: float
    ) -> httpcore.Response:
        addresses = await self._pinned.addresses(target)
        *first, last = _requests(target, addresses, headers, body, deadline_s)
        for request in first:
            with contextlib.suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return await self._pool.handle_async_request(request)
        return await self._pool.handle_async_request(last)


@contextlib.contextmanager
def _troubles() -> Iterator[None]:
    try:
        yield
    except (TimeoutError, httpcore.TimeoutException):
        raise NoAnswer("timeout") from None
    except httpcore.ConnectError as error:
        raise NoAnswer("tls_error" if _is_of_tls(error) else "connect_failed") from None
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError):
        raise NoAnswer("connection_lost") from None


def _requests(
    target: Target, addresses: Sequence[str], headers: Mapping[str, str], body: bytes, deadline_s: float
) -> Sequence[httpcore.Request]:
    """Returns: one for each address, the name of the host in the header and in what its certificate is checked for."""
    # An address that does not answer leaves time for the others.
    timeouts = {"connect": deadline_s / (1 + len(addresses))}
    told = {"host": target.host_header, "content-length": str(len(body)), **_HEADERS, **headers}
    return [
        httpcore.Request(
            "POST",
            httpcore.URL(scheme=target.scheme, host=address, port=target.port, target=target.path),
            headers=list(told.items()),
            content=body,
            extensions={"sni_hostname": target.host, "timeout": timeouts},
        )
        for address in addresses
    ]


def _is_of_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False
