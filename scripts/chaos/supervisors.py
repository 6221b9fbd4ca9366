"""Supervisors as real processes, each with an identity and a port that it keeps over its deaths."""

from __future__ import annotations

import signal
import socket
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import attrs

from tests.kit.service import Service, started


@attrs.define(eq=False)
class Supervisor:
    """One of them. `records` is what all its processes logged."""

    name: str
    state_dir: Path
    env: dict[str, str]
    port: int = attrs.field(init=False)
    records: list[dict[str, Any]] = attrs.field(factory=list)
    _service: Service | None = attrs.field(default=None, init=False)
    _wanted: bool = attrs.field(default=False, init=False)
    _stack: ExitStack = attrs.field(factory=ExitStack, init=False)

    @port.default
    def _free_port(self) -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    @property
    def url(self) -> str:
        """Where it listens while it runs."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        """Its process; None while it has none."""
        return self._service.process.pid if self._service else None

    @property
    def ended_by_itself(self) -> bool:
        """Whether it is gone though nobody killed it."""
        return self._service is not None and self._service.process.poll() is not None

    @property
    def is_due(self) -> bool:
        """Whether it should run, and could not be started: its sandbox was away, say."""
        return self._wanted and self._service is None

    def start(self) -> None:
        """Start it, and wait until it listens; where it refuses, it `is_due`."""
        own = {"PORT": str(self.port), "CHEF_INSTANCE": self.name}
        self._wanted = True
        # What it said of itself is in the error, and on the console of whoever starts it by hand.
        with suppress(AssertionError):
            self._service = self._stack.enter_context(started(self.state_dir, **{**self.env, **own}))

    def kill(self) -> None:
        """End it at once."""
        self._wanted = False
        if self._service is not None:
            self._service.process.kill()
            self._service.process.wait()
        self._close()

    def freeze(self) -> None:
        """Let it stand still."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def stop(self) -> None:
        """End it in order."""
        self.thaw()
        self._close()

    def _signal(self, number: int) -> None:
        if self._service is not None:
            self._service.process.send_signal(number)

    def _close(self) -> None:
        self._stack.close()
        if self._service is not None:
            self.records += self._service.records
        self._service = None
