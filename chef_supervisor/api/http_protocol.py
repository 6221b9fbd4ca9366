"""
uvicorn's httptools protocol with bounds: on the head of a request, on the time it takes, on ways to frame a body.

httptools alone takes any number of headers of any size, and uvicorn waits for a head for as long as bytes trickle in.
"""

from __future__ import annotations

import asyncio
import logging
import urllib.parse
from typing import Any, Final, cast

import attrs
import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from chef_supervisor.api.alarm import Alarm
from chef_supervisor.api.cut import AnswerCut
from chef_supervisor.api.http_cycle import Cycle
from chef_supervisor.api.http_refusal import FRAMING, RefusedError, problem_of_parser, raw_answer
from chef_supervisor.api.problems import Problem

logger = logging.getLogger("chef.api.http")

_VERSIONS: Final = ("1.0", "1.1")
# Of a header line besides name and value: colon, space, CR, LF.
_LINE_OVERHEAD: Final = 4


@attrs.frozen(kw_only=True)
class HeadLimits:
    """What the head of a request may be; `timeout_s` is for the whole of it."""

    timeout_s: float
    max_bytes: int = 16_384
    max_headers: int = 64
    max_url_bytes: int = 2_048
    # How long what a peer goes on sending after its refusal is read and thrown away, so that it gets to see it.
    linger_s: float = 1.0


class _NoCuts(logging.Filter):
    """A request that is cut, by ourselves or because the server stops, is no crash."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.exc_info is None or not isinstance(record.exc_info[1], asyncio.CancelledError | AnswerCut)


logger.addFilter(_NoCuts())


class BoundedProtocol(HttpToolsProtocol):
    """One connection. What it refuses never reaches the app."""

    def __init__(self, *args: Any, limits: HeadLimits, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The app's crashes are logged by this logger too.
        self.logger = logger
        self._limits = limits
        # Rings when the head that is awaited is late, or when there was no request for too long.
        self._alarm = Alarm(self.loop, self._head_is_late)
        self._idle = False
        self._head_open = False
        self._head_bytes = 0
        self._head_lines = 0
        # Bytes since the parser last called back: it is collecting one endless line.
        self._silent_bytes = 0
        self._linger_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._for_answers = cast("asyncio.Transport", _HangsUp(self))
        self._alarm.set(self._limits.timeout_s)
        if self._is_crowded():
            # Not even a refusal: the descriptors that are left are what Redis and the jobs need.
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._alarm.close()
        if self._linger_timer is not None:
            self._linger_timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._linger_timer is not None or self.transport.is_closing():
            return
        if self._idle:
            self._idle = False
            self._alarm.set(self._limits.timeout_s)
        self._silent_bytes += len(data)
        try:
            self.parser.feed_data(data)
            self._check_silence()
        except httptools.HttpParserUpgrade:
            # Answered as if no upgrade had been asked for; what follows on the connection would not be HTTP.
            self.cycle.keep_alive = False
        except (httptools.HttpParserError, RefusedError) as error:
            self._refuse(problem_of_parser(error))
            return
        if self._head_open and not self._alarm.is_set:
            self._alarm.set(self._limits.timeout_s)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_open = True
        self._head_bytes = self._head_lines = self._silent_bytes = 0

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > self._limits.max_url_bytes:
            raise RefusedError(414, "url_too_long", f"at most {self._limits.max_url_bytes} bytes")
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_lines += 1
        if self._head_lines > self._limits.max_headers:
            raise RefusedError(431, "headers_too_large", f"at most {self._limits.max_headers} headers")
        self._count(len(name) + len(value) + _LINE_OVERHEAD)
        # Trailers would end up among the headers that were already checked.
        if self._head_open:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._head_open = False
        self._alarm.unset()
        self._check_framing()
        self._check_room()
        version = self._complete_scope()
        before = self._cycle()
        self.cycle = Cycle(
            scope=self.scope,
            # It closes the connection after its answer, whatever of the body is still on its way.
            transport=self._for_answers,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=[],
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=version != "1.0" and self.parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        if before is None or before.response_complete:
            self._start_asgi_task(self.cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def on_body(self, body: bytes) -> None:
        self._silent_bytes = 0
        super().on_body(body)

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self._linger_timer is not None or self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif not self._alarm.is_set:
            self._idle = True
            self._alarm.set(self.timeout_keep_alive)

    def hang_up(self) -> None:
        """
        Close once the peer has seen what was written to it.

        Closed at once with bytes unread, the kernel would reset the connection, and the answer could be lost.
        """
        if self._linger_timer is not None or self.transport.is_closing():
            return
        self._alarm.unset()
        self.flow.resume_reading()
        self.transport.write_eof()
        self._linger_timer = self.loop.call_later(self._limits.linger_s, self.transport.close)

    def _count(self, size: int) -> None:
        self._silent_bytes = 0
        self._head_bytes += size
        if self._head_bytes > self._limits.max_bytes:
            raise self._too_large()

    def _check_silence(self) -> None:
        if self._silent_bytes > self._limits.max_bytes:
            raise self._too_large()

    def _too_large(self) -> RefusedError:
        return RefusedError(431, "headers_too_large", f"at most {self._limits.max_bytes} bytes of headers")

    def _check_framing(self) -> None:
        """Refuse what a proxy before us may have read otherwise than we would."""
        codings = [value.strip().lower() for name, value in self.headers if name == b"transfer-encoding"]
        lengths = [value for name, value in self.headers if name == b"content-length"]
        if len(lengths) > 1 or (codings and (codings != [b"chunked"] or lengths)):
            raise RefusedError(400, "bad_request", FRAMING)
        if self.parser.get_http_version() not in _VERSIONS:
            raise RefusedError(400, "bad_request", "this is not HTTP/1.1")

    def _complete_scope(self) -> str:
        """Returns: the version of HTTP that is spoken."""
        url, version = httptools.parse_url(self.url), self.parser.get_http_version()
        path = url.path.decode("ascii")
        self.scope["method"] = self.parser.get_method().decode("ascii")
        self.scope["http_version"] = version
        self.scope["path"] = urllib.parse.unquote(path) if "%" in path else path
        self.scope["raw_path"] = url.path
        self.scope["query_string"] = url.query or b""
        return version

    def _check_room(self) -> None:
        taken = max(len(self.connections), len(self.tasks))
        if self.limit_concurrency is not None and taken >= self.limit_concurrency:
            raise RefusedError(503, "too_many_connections", "too many connections; try again in a second")

    def _is_crowded(self) -> bool:
        # Those beyond the limit are told so as soon as they ask; there may only be a few who have not asked yet.
        limit = self.limit_concurrency
        return limit is not None and len(self.connections) > limit + max(2, limit // 16)

    def _answering(self) -> bool:
        cycle = self._cycle()
        return cycle is not None and not cycle.response_complete

    def _cycle(self) -> Cycle | None:
        # None until the first request, whatever its annotation says.
        return cast("Cycle | None", self.cycle)

    def _head_is_late(self) -> None:
        if self._answering():
            # The next request began while this one is being answered; its time runs from then.
            self._alarm.set(self._limits.timeout_s)
        elif self._head_open:
            detail = f"the headers did not arrive within {self._limits.timeout_s:g} s"
            self._refuse(Problem(status=408, code="request_timeout", detail=detail))
        else:
            self.transport.close()

    def _refuse(self, problem: Problem) -> None:
        """Answer and close; where an answer has begun already, only close: two would be mixed up."""
        cycle = self._cycle()
        if cycle is not None and cycle.response_started and not cycle.response_complete:
            self.transport.close()
            return
        if cycle is not None:
            # The app may be waiting for more of the body, and must not answer any more.
            cycle.disconnected = True
            cycle.message_event.set()
        self.transport.write(raw_answer(problem))
        self.hang_up()


class _HangsUp:
    """The transport as a cycle uses it."""

    def __init__(self, protocol: BoundedProtocol) -> None:
        self._protocol = protocol
        self.write = protocol.transport.write
        self.is_closing = protocol.transport.is_closing

    def close(self) -> None:
        if self._protocol.cycle.more_body:
            self._protocol.hang_up()
        else:
            self._protocol.transport.close()
