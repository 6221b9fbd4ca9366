"""The tools without us: a container of the runner image that runs, with a job's limits, and dependencies in place."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import attrs
import docker
from docker.models.containers import Container

_UID: Final = 65532
_AT: Final = "/workspace"
_CA: Final = "/opt/ca.pem"
_TRUST: Final = ("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE")
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
        ended = self.container.exec_run(list(argv), workdir=_AT)
        told = ended.output.decode(errors="replace") if isinstance(ended.output, bytes) else ""
        if ended.exit_code:
            raise RuntimeError(f"{argv[-1]!r} ended with {ended.exit_code}: {told[-2000:]}")
        return told


@contextmanager
def bare_container(image: str, limits: BareLimits, files: Mapping[str, bytes], certificates: bytes) -> Iterator[Bare]:
    """Yields: it, with the files in its workspace, which is in memory as a job's; removed in the end."""
    client = docker.from_env()
    env = {"HOME": "/workspace/.home", "CI": "1", "NO_COLOR": "1"}
    container = client.containers.create(
        image,
        ["infinity"],
        entrypoint="sleep",
        working_dir=_AT,
        environment=env | (dict.fromkeys(_TRUST, _CA) if certificates else {}),
        mem_limit=limits.memory_bytes,
        memswap_limit=limits.memory_bytes,
        nano_cpus=int(limits.cpus * 1e9),
        init=True,
    )
    try:
        container.put_archive("/", _tar({f"{_AT[1:]}/{path}": content for path, content in files.items()}))
        container.put_archive("/", _tar({_CA[1:]: certificates}))
        container.start()
        yield Bare(container)
    finally:
        container.remove(force=True)
        client.close()


def _tar(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for folder in sorted({path.rpartition("/")[0] for path in files} - {"opt", ""}):
            tar.addfile(_entry(folder, tarfile.DIRTYPE, 0))
        for path, content in files.items():
            tar.addfile(_entry(path, tarfile.REGTYPE, len(content)), io.BytesIO(content))
    return buffer.getvalue()


def _entry(path: str, kind: bytes, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(path)
    entry.type, entry.size, entry.mode = kind, size, 0o755 if kind == tarfile.DIRTYPE else 0o644
    entry.uid = entry.gid = _UID
    return entry
