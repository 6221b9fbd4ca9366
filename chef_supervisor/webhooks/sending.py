"""One signed POST to one receiver: to a checked address, within a deadline, with next to nothing of the answer read."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Mapping, Sequence
from typing import Final

import attrs
import httpx

from chef_supervisor import __version__
from chef_supervisor.webhooks.no_answer import NoAnswer
from chef_supervisor.webhooks.pinned import Pinned
from chef_supervisor.webhooks.target import Target

MOST_ANSWER_BYTES: Final = 4096
# The status is the answer. The rest is read so that the connection can be used again, where it comes at once.
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


@attrs.frozen
class Reply:
    """What is looked at of an answer. `retry_after`: that header as it came, empty without."""

    status: int
    retry_after: str = ""


def tls_context() -> ssl.SSLContext:
    """Returns: what checks certificates, by the authorities of certifi or those that SSL_CERT_FILE names."""
    return httpx.create_ssl_context()


class Sender:
    """
    Sends to one host alone: a connection is kept for its address, and was checked for one name only.

    The transport is used without httpx's client, so there are no redirects, cookies, proxies of the environment,
    decompression or log lines with addresses in them.
    """

    def __init__(self, pinned: Pinned, tls: ssl.SSLContext, kept_connections: int) -> None:
        self._pinned = pinned
        self._transport = httpx.AsyncHTTPTransport(
            verify=tls,
            trust_env=False,
            http1=True,
            http2=False,
            limits=httpx.Limits(
                max_connections=None, max_keepalive_connections=kept_connections, keepalive_expiry=_KEPT_S
            ),
        )

    async def post(self, target: Target, headers: Mapping[str, str], body: bytes, deadline_s: float) -> Reply:
        """
        Send once, and at most once in whole: another address is tried only where none was connected to.

        Raises:
            NoAnswer: there was no answer within the deadline, whatever the reason.
        """
        rest_s = min(_MOST_REST_S, deadline_s * _REST_SHARE)
        try:
            async with asyncio.timeout(deadline_s - rest_s):
                addresses = await self._pinned.addresses(target)
                response = await self._answer(_requests(target, addresses, headers, body, deadline_s))
        except (TimeoutError, httpx.TimeoutException):
            raise NoAnswer("timeout") from None
        except httpx.ConnectError as error:
            raise NoAnswer("tls_error" if _is_of_tls(error) else "connect_failed") from None
        except (httpx.TransportError, OSError):
            raise NoAnswer("connection_lost") from None
        await _read_a_little(response, rest_s)
        return Reply(response.status_code, response.headers.get("retry-after", ""))

    async def close(self) -> None:
        """Close all connections."""
        self._pinned.resolver.close()
        await self._transport.aclose()

    async def _answer(self, requests: Sequence[httpx.Request]) -> httpx.Response:
        *first, last = requests
        for request in first:
            with contextlib.suppress(httpx.ConnectError, httpx.ConnectTimeout):
                return await self._transport.handle_async_request(request)
        return await self._transport.handle_async_request(last)


async def _read_a_little(response: httpx.Response, most_s: float) -> None:
    """Let go of the connection; one that has more to say, or says it slowly, is closed."""
    read_bytes = 0
    try:
        with contextlib.suppress(TimeoutError, httpx.TransportError, OSError):
            async with asyncio.timeout(most_s):
                async for part in response.aiter_raw():
                    read_bytes += len(part)
                    if read_bytes > MOST_ANSWER_BYTES:
                        return
    finally:
        await response.aclose()


def _requests(
    target: Target, addresses: Sequence[str], headers: Mapping[str, str], body: bytes, deadline_s: float
) -> Sequence[httpx.Request]:
    """Returns: one for each address, the name of the host in the header and in what its certificate is checked for."""
    # An address that does not answer leaves time for the others.
    timeouts = {"connect": deadline_s / (1 + len(addresses))}
    return [
        httpx.Request(
            "POST",
            httpx.URL(scheme=target.scheme, host=address, port=target.port, raw_path=target.path.encode()),
            headers={"host": target.host_header} | _HEADERS | dict(headers),
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
