"""The agent's end of the line: frames in from stdin, frames out to stdout, neither ever seen by a step."""

from __future__ import annotations

import os

from .frames import HEADER, pack

_EX_IOERR = 74


class SupervisorGone(Exception):
    """The line ended; nobody is left to tell."""


class Channel:
    """Blocking; whoever reads waits for a whole frame."""

    def __init__(self, source: int, sink: int) -> None:
        self.source = source
        self._sink = sink

    @classmethod
    def take_over_stdio(cls) -> Channel:
        """
        Move the line away from the descriptors 0 and 1: what steps inherit there is not it.

        A stray print of ours goes to stderr.
        """
        source, sink = os.dup(0), os.dup(1)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.dup2(2, 1)
        os.close(null)
        return cls(source, sink)

    def receive(self) -> tuple[int, bytes]:
        """
        Returns: kind and payload of the next frame.

        Raises:
            SupervisorGone: the line ended.
        """
        kind, length = HEADER.unpack(self._exactly(HEADER.size))
        return kind, self._exactly(length)

    def send(self, kind: int, payload: bytes = b"") -> None:
        """Send one frame. Where nobody reads any more, the process ends: a box without a supervisor has no use."""
        rest = memoryview(pack(kind, payload))
        try:
            while rest:
                rest = rest[os.write(self._sink, rest) :]
        except OSError:
            os._exit(_EX_IOERR)

    def expect_silence(self) -> None:
        """Look at the line while steps run. Its end ends us, and with us the whole box; bytes are ignored."""
        if not os.read(self.source, 65_536):
            os._exit(_EX_IOERR)

    def _exactly(self, length: int) -> bytes:
        chunks = []
        while length:
            chunk = os.read(self.source, min(length, 1 << 20))
            if not chunk:
                raise SupervisorGone
            chunks.append(chunk)
            length -= len(chunk)
        return b"".join(chunks)
