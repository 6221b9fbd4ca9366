"""The tools without us: a container of the runner image that runs, with a job's limits, and dependencies in place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import attrs
from docker.models.containers import Container

from tests.kit.tool_container import AT, tool_container

# Timed inside, so that the engine's own time for an exec is not counted.
_TIMED: Final = """
import shutil, subprocess, sys, time
for left in {left!r}: shutil.rmtree(left, ignore_errors=True)
began = time.monotonic()
code = subprocess.run(["sh", "-c", {command!r}], stdout=subprocess.DEVNULL).returncode
print(time.monotonic() - began)
sys.exit(code)
"""


@attrs.frozen(kw_only=True)
class BareLimits:
    """What one container may use, as a job's does."""

    memory_bytes: int
    cpus: float


@attrs.frozen
class Bare:
    """A container that waits for commands."""

    container: Container

    def time_s(self, command: str, left: Sequence[str]) -> float:
        """
        Returns: how long the command took, after what earlier ones left was removed.

        Raises:
            RuntimeError: it failed.
        """
        return float(self._run(["python3", "-c", _TIMED.format(command=command, left=list(left))]).split()[-1])

    def prepare(self, command: str) -> None:
        """
        Run a command that is not measured.

        Raises:
            RuntimeError: it failed.
        """
        self._run(["sh", "-c", command])

    def _run(self, argv: Sequence[str]) -> str:
        ended = self.container.exec_run(list(argv), workdir=AT)
        told = ended.output.decode(errors="replace") if isinstance(ended.output, bytes) else ""
        if ended.exit_code:
            raise RuntimeError(f"{argv[-1]!r} ended with {ended.exit_code}: {told[-2000:]}")
        return told


@contextmanager
def bare_container(limits: BareLimits, files: Mapping[str, bytes]) -> Iterator[Bare]:
    """Yields: it, started, with the files in its working folder; removed in the end."""
    bounds = {
        "mem_limit": limits.memory_bytes,
        "memswap_limit": limits.memory_bytes,
        "nano_cpus": int(limits.cpus * 1e9),
    }
    with tool_container("sleep", ["infinity"], files, init=True, **bounds) as container:
        container.start()
        yield Bare(container)
