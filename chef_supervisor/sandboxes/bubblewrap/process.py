"""
One bubblewrap process: its pipes, its agent's process id, its end.

Not asyncio's own subprocess: cancelled while it starts one, it may wait for ever, and it tells an end only when all
that was said is read. Here nothing is awaited before there is an object whose `close` lets go of everything.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from chef_supervisor.sandboxes.bubblewrap.descriptor import Descriptor

_CHUNK: Final = 1 << 16
_MOST_STDERR: Final = 4096
# The loop stands still for it: a moment, for the box has only begun.
_ABANDON_S: Final = 1.0


class BoxProcess:
    """The line to an agent, and the handle to kill it by. `stderr` is what bubblewrap or the agent complained of."""

    def __init__(self, process: subprocess.Popen[bytes], end: Descriptor, info: int) -> None:
        assert process.stdin and process.stdout and process.stderr  # noqa: PT018, S101
        self._process = process
        self._end = end
        self._info = info
        self._to, self._from, self._errors = map(Descriptor, (process.stdin, process.stdout, process.stderr))
        self._agent: int | None = None

    @classmethod
    def start(cls, argv: Sequence[str], *, inherit: Sequence[int], info: int) -> BoxProcess:
        """
        Start it. `inherit`: descriptors that the command line names; `info`: tells the process id, ours from now on.

        Raises:
            OSError: it cannot be run; `info` stays the caller's.
        """
        pipe = subprocess.PIPE
        # A group of its own: to be killed as a whole, and out of reach of a Ctrl-C that is meant for us.
        process = subprocess.Popen(  # noqa: S603  (our own command line)
            argv, bufsize=0, stdin=pipe, stdout=pipe, stderr=pipe, env={}, cwd="/", pass_fds=inherit, process_group=0
        )
        try:
            end = Descriptor.of_process(process.pid)
        except OSError:
            _abandon(process)
            raise
        return cls(process, end, info)

    async def read(self) -> bytes:
        """Returns: what the agent said; empty at the end."""
        return await self._from.read(_CHUNK)

    async def write(self, chunk: bytes) -> None:
        """Send it, waiting for room."""
        await self._to.write(chunk)

    def agent_pid(self) -> int:
        """
        Returns: the agent's process id on this machine. Only to be asked once the agent has said hello.

        Raises:
            OSError, ValueError, KeyError, TypeError: bubblewrap did not tell it, or it is gone.
        """
        # It was written before the agent began, and the pipe holds it: this does not block.
        pid = int(json.loads(os.read(self._info, _MOST_STDERR))["child-pid"])
        self._agent = os.pidfd_open(pid)
        return pid

    def kill(self) -> None:
        """Kill the agent, and with it, as PID 1, everything in the box; harmless when it is dead already."""
        if self._agent is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._agent, signal.SIGKILL)
        else:
            self._kill_group()

    async def gone(self) -> None:
        """Wait until the box has no process any more. Nobody else may be reading."""
        await self._end.readable()
        if self._agent is None:
            self._kill_group()
            # Whatever was begun holds the line for as long as it lives.
            while await self.read():
                pass
        self._process.poll()

    async def complaint(self) -> str:
        """Returns: the beginning of what stands on stderr; only to be asked once it is gone."""
        text = await self._errors.read(_MOST_STDERR)
        return text.decode(errors="replace").strip()

    def close(self) -> None:
        """Let go of everything, and kill what bubblewrap itself may have left."""
        self._kill_group()
        self._process.poll()
        for held in (self._to, self._from, self._errors, self._end):
            held.close()
        for descriptor in (self._info, self._agent):
            if descriptor is not None:
                os.close(descriptor)

    def _kill_group(self) -> None:
        # `--die-with-parent` comes late: a bubblewrap that is killed while it starts leaves a child that waits for it
        # for ever. Waited for, it may have lost its number to others.
        if self._process.returncode is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        # What has left the group by then is an agent, or about to be one; that ends with its input.
        self._to.close()


def _abandon(process: subprocess.Popen[bytes]) -> None:
    # However short it lived, it may have begun others, which hold its pipes for as long as they live.
    os.killpg(process.pid, signal.SIGKILL)
    with process, suppress(subprocess.TimeoutExpired):
        process.communicate(timeout=_ABANDON_S)
