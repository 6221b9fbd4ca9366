"""A way to a Docker Engine that refuses some requests, or cuts the lines to boxes, when it is told to."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import attrs

_CHUNK: Final = 1 << 16
_ATTACH: Final = re.compile(rb"POST \S+/attach\?")


@attrs.define(eq=False)
class EngineProxy:
    """Passes everything on. Requests whose first line matches `refuses` are answered 500, and not passed on."""

    path: Path
    engine: Path
    refuses: re.Pattern[bytes] | None = None
    # The first lines of what was refused.
    refused: list[bytes] = attrs.field(factory=list)
    _lines: list[tuple[socket.socket, socket.socket]] = attrs.field(factory=list)
    _listening: socket.socket = attrs.field(init=False)

    @property
    def host(self) -> str:
        """Returns: the DOCKER_HOST that leads here."""
        return f"unix://{self.path}"

    def listen(self) -> None:
        """Begin."""
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(self.path))
        self._listening.listen(128)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """End; what is connected stays so."""
        # A thread that waits for the next connection is not woken by a close alone.
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def cut_lines_to_boxes(self) -> int:
        """Returns: how many were cut, on both sides."""
        lines, self._lines = self._lines, []
        for here, there in lines:
            _end(here)
            _end(there)
        return len(lines)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                here, _ = self._listening.accept()
                threading.Thread(target=self._pass_on, args=(here,), daemon=True).start()

    def _pass_on(self, here: socket.socket) -> None:
        there = socket.socket(socket.AF_UNIX)
        with here, there:
            try:
                there.connect(str(self.engine))
            except OSError:
                return
            replies = threading.Thread(target=_pump, args=(there, here), daemon=True)
            replies.start()
            with suppress(OSError):
                while chunk := here.recv(_CHUNK):
                    self._request(chunk, here, there)
            # A client that has said all still listens, and so does a box.
            with suppress(OSError):
                there.shutdown(socket.SHUT_WR)
            replies.join()

    def _request(self, chunk: bytes, here: socket.socket, there: socket.socket) -> None:
        first_line = chunk.partition(b"\r\n")[0]
        if _ATTACH.match(first_line):
            self._lines.append((here, there))
        if self.refuses is not None and self.refuses.match(first_line):
            self.refused.append(first_line)
            here.sendall(_refusal())
        else:
            there.sendall(chunk)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while chunk := source.recv(_CHUNK):
            sink.sendall(chunk)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def _refusal() -> bytes:
    body = json.dumps({"message": "refused by a test"}).encode()
    head = (
        f"HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _end(line: socket.socket) -> None:
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)


@contextmanager
def engine_proxy(engine_host: str, folder: Path) -> Iterator[EngineProxy]:
    """Yields: a proxy to that DOCKER_HOST, which must be a unix socket; it listens in the folder."""
    proxy = EngineProxy(folder / "proxy.sock", Path(engine_host.removeprefix("unix://")))
    proxy.listen()
    try:
        yield proxy
    finally:
        proxy.close()
