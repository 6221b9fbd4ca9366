"""bubblewrap by itself: the command line of a job's box, which starts the same agent, and nobody who gives it work."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import attrs

from chef_supervisor.sandboxes.bubblewrap import layout
from chef_supervisor.sandboxes.bubblewrap.command import Command, runs_as_root
from chef_supervisor.sandboxes.bubblewrap.seccomp import seccomp_program
from chef_supervisor.sandboxes.bubblewrap.tools import Tools, find_tools
from chef_supervisor.sandboxes.config import BubblewrapConfig
from scripts.bench.boxes import LIMITS

_HELLO: Final = b"protocol"


@attrs.frozen
class BareBubblewrap:
    """`seccomp`: the filter of system calls, where there is one for this machine."""

    tools: Tools
    seccomp: bytes | None

    def once(self) -> None:
        """
        Start the agent in a box, hear its hello, and wait until the box is gone, which it is for it gets no work.

        Raises:
            RuntimeError: it said no hello.
        """
        with self._command() as (argv, inherited):
            ended = subprocess.run(
                argv, stdin=subprocess.DEVNULL, capture_output=True, env={}, cwd="/", pass_fds=inherited, check=False
            )
        if _HELLO not in ended.stdout:
            raise RuntimeError(f"an agent said no hello: {ended.stderr[-1000:]!r}")

    @contextmanager
    def _command(self) -> Iterator[tuple[Sequence[str], Sequence[int]]]:
        with ExitStack() as stack:
            reading, writing = os.pipe()
            stack.callback(os.close, reading)
            stack.callback(os.close, writing)
            texts = [(_file(text, stack), at) for at, text in layout.texts(self.tools)]
            seccomp = _file(self.seccomp, stack) if self.seccomp else None
            command = Command(
                tools=self.tools,
                shown=layout.shown_to(self.tools, network=False, dependencies=None),
                texts=texts,
                seccomp=seccomp,
                info=writing,
                limits=LIMITS,
                network=False,
                as_root=runs_as_root(),
            )
            inherited = [writing, *(number for number, _ in texts), *([] if seccomp is None else [seccomp])]
            yield command.argv(), inherited


def bare_bubblewrap(folder: Path) -> BareBubblewrap:
    """
    Returns: what is on this machine.

    Raises:
        SandboxUnavailable: there is no bubblewrap.
    """
    return BareBubblewrap(find_tools(BubblewrapConfig(data_dir=folder)), seccomp_program())


def _file(content: bytes, stack: ExitStack) -> int:
    descriptor = os.memfd_create("chef-bench")
    stack.callback(os.close, descriptor)
    os.write(descriptor, content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
