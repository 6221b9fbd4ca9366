"""A Docker Engine of the tests' own, which may be stopped, killed, made to hang, and started again on its data."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import attrs
import docker
import docker.errors
import psutil
import pytest

from tests.kit.docker_engine import require_image

RUNNER_IMAGE: Final = "chef-runner:dev"
START_S: Final = 60.0
_LOOK_S: Final = 0.05
_ANSWER_S: Final = 5.0


@attrs.define(eq=False)
class OwnEngine:
    """`folder` is all that it has; its path is short, for sockets lie below it. `data` holds images and containers."""

    folder: Path
    data: Path
    _daemon: psutil.Popen | None = attrs.field(default=None, init=False)

    @property
    def socket(self) -> Path:
        """Returns: where it listens."""
        return self.folder / "docker.sock"

    @property
    def host(self) -> str:
        """Returns: its DOCKER_HOST."""
        return f"unix://{self.socket}"

    def start(self, *options: str) -> None:
        """Start it and wait until it answers."""
        command = [
            # Without a bridge an engine removes the one that is there, and that may be another engine's: so it gets a
            # network to itself. Boxes of jobs have none anyway.
            *("unshare", "--net", "dockerd"),
            f"--host={self.host}",
            f"--data-root={self.data}",
            f"--exec-root={self.folder}/exec",
            f"--pidfile={self.folder}/pid",
            "--bridge=none",
            "--iptables=false",
            "--ip6tables=false",
            "--log-level=warn",
            *options,
        ]
        self._forget_the_dead()
        with (self.folder / "log").open("ab") as log:
            self._daemon = psutil.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self._wait_until_up()

    def stop(self) -> None:
        """End it in order: without live-restore it ends its containers first."""
        self._signal(signal.SIGTERM)
        self._wait()

    def kill(self) -> None:
        """End it at once; its containers go on, with nobody to ask about them."""
        self._signal(signal.SIGKILL)
        self._wait()

    def pause(self) -> None:
        """Let it hang: connections are taken and stay, nothing is answered."""
        assert self._daemon is not None
        self._signal(signal.SIGSTOP)
        # The signal is taken when the kernel says so, not when it is sent.
        while self._daemon.status() != psutil.STATUS_STOPPED:
            time.sleep(0.001)

    def resume(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    @property
    def runs(self) -> bool:
        """Returns: whether it was started and not ended since."""
        return self._daemon is not None and self._daemon.poll() is None

    @contextmanager
    def client(self) -> Iterator[docker.DockerClient]:
        """Yields: a client of docker-py's, for looking behind the sandbox."""
        client = docker.DockerClient(base_url=self.host)
        try:
            yield client
        finally:
            client.close()

    def containers(self) -> list[str]:
        """Returns: the names of all there are, running or not."""
        with self.client() as client:
            # Not `containers.list`: it asks about each, and fails where one goes meanwhile.
            found = client.api.containers(all=True)
        return [(one["Names"] or [one["Id"]])[0].removeprefix("/") for one in found]

    def clear(self) -> None:
        """Remove every container and volume."""
        with self.client() as client:
            for container in client.containers.list(all=True, ignore_removed=True):
                with suppress(docker.errors.NotFound):
                    container.remove(force=True)
            for volume in client.volumes.list():
                volume.remove(force=True)

    def load(self, image: str) -> None:
        """Copy an image here from the engine that the tests use."""
        source = require_image(image)
        with subprocess.Popen(["docker", "--host", source, "save", image], stdout=subprocess.PIPE) as saving:
            subprocess.run(["docker", "--host", self.host, "load", "-q"], stdin=saving.stdout, check=True, timeout=240)
        assert saving.returncode == 0

    def end(self) -> None:
        """End it and everything that it started, also what outlived its death."""
        if self.runs:
            self.resume()
            self.stop()
        for process in self._family():
            with suppress(psutil.NoSuchProcess):
                process.kill()
        for mount in sorted(_mounts_below(self.folder), reverse=True):
            subprocess.run(["umount", "--lazy", mount], check=False)

    def _family(self) -> Sequence[psutil.Process]:
        # containerd and its shims are named by the folder that only this engine has.
        marker = str(self.folder)
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if any(marker in part for part in process.cmdline()) and process.name().startswith("containerd"):
                    found.append(process)
        return found

    def _forget_the_dead(self) -> None:
        """Where nobody reaps, its containerd stays as a zombie, and dockerd would wait for that to answer."""
        path = self.folder / "exec" / "containerd" / "containerd.pid"
        with suppress(FileNotFoundError, ValueError, psutil.NoSuchProcess):
            process = psutil.Process(int(path.read_text()))
            # Killed with its dockerd; that takes a moment.
            until = time.monotonic() + START_S
            while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                assert time.monotonic() < until, f"containerd {process.pid} does not end"
                time.sleep(_LOOK_S)
        path.unlink(missing_ok=True)
        (self.folder / "pid").unlink(missing_ok=True)

    def _wait_until_up(self) -> None:
        until = time.monotonic() + START_S
        while not self._answers():
            assert self.runs, f"dockerd ended: {self._log()}"
            assert time.monotonic() < until, f"dockerd does not answer: {self._log()}"
            time.sleep(_LOOK_S)

    def _answers(self) -> bool:
        # Not by docker-py, which leaves its socket open where nobody listens.
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(_ANSWER_S)
            try:
                line.connect(str(self.socket))
                line.sendall(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")
                return line.recv(64).startswith(b"HTTP/1.0 200")
            except OSError:
                return False

    def _log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")[-3000:]

    def _signal(self, number: int) -> None:
        if self.runs:
            assert self._daemon is not None
            self._daemon.send_signal(number)

    def _wait(self) -> None:
        if self._daemon is not None:
            self._daemon.wait(START_S)


@contextmanager
def own_engine(image: str, *options: str, data_bytes: int = 0) -> Iterator[OwnEngine]:
    """
    Yields: an engine that has the image; gone afterwards. Skips the test where none can be started.

    `data_bytes`: its data lies in memory and may be no more than that.
    """
    if os.geteuid() != 0 or shutil.which("dockerd") is None:
        pytest.skip("only root can start a Docker Engine of the tests' own, where dockerd is installed")
    with tempfile.TemporaryDirectory(prefix="chef-dockerd-", dir="/tmp", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        engine = OwnEngine(folder, folder / "data")
        engine.data.mkdir()
        if data_bytes:
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={data_bytes}", "tmpfs", engine.data], check=True)
        try:
            engine.start(*options)
            engine.load(image)
            yield engine
        finally:
            engine.end()


def _mounts_below(folder: Path) -> list[str]:
    # Source: proc_pid_mountinfo(5): the fifth field is the mount point.
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()]
    return [point for point in points if point.startswith(f"{folder}/")]


@pytest.fixture(scope="session")
def shared_engine() -> Iterator[OwnEngine]:
    """Yields: one for all tests, for an image takes long to be loaded; ask for `engine`, which is as good as new."""
    with own_engine(RUNNER_IMAGE) as engine:
        yield engine


@pytest.fixture(name="engine")
def engine_fixture(shared_engine: OwnEngine) -> Iterator[OwnEngine]:
    """Yields: an engine that the test may break."""
    yield shared_engine
    shared_engine.resume()
    if not shared_engine.runs:
        shared_engine.start()
    shared_engine.clear()
