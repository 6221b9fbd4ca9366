"""One bubblewrap process: its pipes, its agent's process id, its end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

_CHUNK: Final = 1 << 16
_MOST_STDERR: Final = 4096


class BoxProcess:
    """The line to an agent, and the handle to kill it by. `stderr` is what bubblewrap or the agent complained of."""

    def __init__(self, process: Process, info: int) -> None:
        assert process.stdin and process.stdout and process.stderr  # noqa: PT018, S101
        self._process = process
        self._info = info
        self._to, self._from, self._errors = process.stdin, process.stdout, process.stderr
        self._agent: int | None = None

    @classmethod
    async def start(cls, argv: Sequence[str], *, inherit: Sequence[int], info: int) -> BoxProcess:
        """
        Start it. `inherit`: descriptors that the command line names; `info`: tells the process id, ours from now on.

        Raises:
            OSError: it cannot be run.
        """
        process = await asyncio.create_subprocess_exec(
            *argv, stdin=PIPE, stdout=PIPE, stderr=PIPE, env={}, cwd="/", pass_fds=inherit, limit=_CHUNK
        )
        return cls(process, info)

    async def read(self) -> bytes:
        """Returns: what the agent said; empty at the end."""
        try:
            return await self._from.read(_CHUNK)
        except OSError:
            return b""

    async def write(self, chunk: bytes) -> None:
        """Send it, waiting for room."""
        self._to.write(chunk)
        await self._to.drain()

    def agent_pid(self) -> int:
        """
        Returns: the agent's process id on this machine. Only to be asked once the agent has said hello.

        Raises:
            OSError, ValueError, KeyError: bubblewrap did not tell it.
        """
        # It was written before the agent began, and the pipe holds it: this does not block.
        pid = int(json.loads(os.read(self._info, _MOST_STDERR))["child-pid"])
        self._agent = os.pidfd_open(pid)
        return pid

    def kill(self) -> None:
        """Kill the agent, and with it, as PID 1, everything in the box; harmless when it is dead already."""
        with suppress(ProcessLookupError):
            if self._agent is not None:
                signal.pidfd_send_signal(self._agent, signal.SIGKILL)
            else:
                self._process.kill()

    async def gone(self) -> None:
        """Wait until the box has no process any more."""
        await self._process.wait()

    async def complaint(self) -> str:
        """Returns: the end of what stands on stderr; only to be asked once it is gone."""
        text = await self._errors.read()
        return text[-_MOST_STDERR:].decode(errors="replace").strip()

    def close(self) -> None:
        """Let go of everything, and kill what bubblewrap itself may have left."""
        with suppress(ProcessLookupError):
            self._process.kill()
        self._to.close()
        for descriptor in (self._info, self._agent):
            if descriptor is not None:
                os.close(descriptor)
