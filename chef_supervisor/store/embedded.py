"""
A Redis of our own, for machines that have none: a child process on a unix socket, its data in a folder that is locked.

It dies with its parent, and the lock lives in both, so that a next start finds either a free folder or a clear error.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO, Final

import attrs

from chef_supervisor.domain.errors import Misconfigured
from chef_supervisor.store.embedded_command import answers, launch_command
from chef_supervisor.store.embedded_files import FolderLock, find_server, private_folder
from chef_supervisor.store.embedded_repair import cut_torn_end

# Source: unix(7): sun_path holds 108 bytes, the last of them zero.
_MAX_SOCKET_PATH_BYTES: Final = 106
_POLL_S: Final = 0.02
# The last lines of the log tell why it did not start.
_LOG_TAIL_BYTES: Final = 600


def _absolute(path: Path) -> Path:
    return path.absolute()


@attrs.define(eq=False)
class EmbeddedRedis:
    """
    One server on the data in `data_dir`; it may be started again after it ended.

    `lock_wait_s`: how long a server of before may take to end. `stop_s`: how long this one may, before it is killed.
    """

    data_dir: Path = attrs.field(converter=_absolute)
    start_s: float = attrs.field(default=30.0, kw_only=True)
    stop_s: float = attrs.field(default=10.0, kw_only=True)
    lock_wait_s: float = attrs.field(default=5.0, kw_only=True)
    # Known before the start, so that clients can be made before the server.
    socket_path: Path = attrs.field(init=False)
    _process: asyncio.subprocess.Process | None = attrs.field(default=None, init=False)
    _lock: FolderLock = attrs.field(init=False)

    @socket_path.default
    def _choose_socket_path(self) -> Path:
        beside = self.data_dir / "redis.sock"
        if len(os.fsencode(beside)) <= _MAX_SOCKET_PATH_BYTES:
            return beside
        digest = hashlib.sha256(os.fsencode(self.data_dir)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"chef-{os.getuid()}-{digest}" / "redis.sock"

    @_lock.default
    def _make_lock(self) -> FolderLock:
        return FolderLock(self.data_dir)

    async def __aenter__(self) -> Path:
        """Start it. Returns: the path of its socket."""
        await self.start()
        return self.socket_path

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        await self.stop()

    @property
    def pid(self) -> int | None:
        """The server's process id while it was not seen to end."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    async def start(self) -> None:
        """
        Start it and wait until it answers.

        Raises:
            Misconfigured: there is no redis-server, the folder is in use, or the server does not come up.
        """
        server = find_server()
        private_folder(self.data_dir)
        private_folder(self.socket_path.parent)
        await self._lock.take(self.lock_wait_s)
        up = False
        try:
            await asyncio.to_thread(cut_torn_end, server, self.data_dir)
            await self._launch(server)
            await self._wait_until_up()
            up = True
        finally:
            if not up:
                await self.stop()

    async def died(self) -> int:
        """Returns: the exit code, as soon as the server has ended for whatever reason; -1 where none was started."""
        return -1 if self._process is None else await self._process.wait()

    async def stop(self) -> None:
        """End it in order, its data on disk; by force where that takes longer than `stop_s`."""
        try:
            if self._process is not None and self._process.returncode is None:
                await self._end(self._process)
        finally:
            self._lock.give_back()

    async def _launch(self, server: Path) -> None:
        self.socket_path.unlink(missing_ok=True)
        with self._open_log() as log:
            self._process = await asyncio.create_subprocess_exec(
                *launch_command(server, self.data_dir, self.socket_path),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=self._lock.descriptors(),
            )

    async def _wait_until_up(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.start_s):
                while self.pid is not None:
                    if await answers(self.socket_path):
                        return
                    await asyncio.sleep(_POLL_S)
        raise Misconfigured((f"the embedded Redis on {self.data_dir} did not come up: {self._log_tail()}",))

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.stop_s):
                    await process.wait()
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()

    def _open_log(self) -> IO[bytes]:
        log = self.data_dir / "redis.log"
        if log.exists():
            log.replace(self.data_dir / "redis.log.1")
        return log.open("wb")

    def _log_tail(self) -> str:
        text = (self.data_dir / "redis.log").read_text(encoding="utf-8", errors="replace")
        return text[-_LOG_TAIL_BYTES:].strip() or f"it did not answer within {self.start_s:g} s"
