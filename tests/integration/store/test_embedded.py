"""The embedded Redis as a process: it starts, keeps its data, keeps others off, and never outlives its parent."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
from redis import Redis

from chef_supervisor.domain.errors import Misconfigured
from chef_supervisor.store import embedded_files
from chef_supervisor.store.config import StoreConfig
from chef_supervisor.store.embedded import EmbeddedRedis
from chef_supervisor.store.embedded_command import answers, server_command
from chef_supervisor.store.redis_store import RedisJobStore
from tests.integration.store.making import a_job, claim_one

pytestmark = pytest.mark.asyncio
ROOT = Path(__file__).resolve().parents[3]
# Starts one, says where and which, and waits to be killed.
PARENT = """
import asyncio, sys
from pathlib import Path
from chef_supervisor.store.embedded import EmbeddedRedis
async def main():
    redis = EmbeddedRedis(Path(sys.argv[1]))
    async with redis:
        print(redis.pid, flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="chef-") as folder:
        yield Path(folder) / "redis"


@asynccontextmanager
async def store_at(socket_path: Path) -> AsyncIterator[RedisJobStore]:
    """Yields: a store on that server; closed whatever the test finds."""
    store = RedisJobStore(StoreConfig(unix_socket=str(socket_path), command_timeout_s=60.0))
    try:
        yield store
    finally:
        await store.close()


def spoil(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    (folder / "appendonly.aof").write_bytes(b"no append-only file\n" * 10)


def mend(folder: Path) -> None:
    (folder / "appendonly.aof").unlink()


def is_private(path: Path) -> bool:
    return path.stat().st_mode & 0o077 == 0


def start_parent(folder: Path) -> tuple[subprocess.Popen[bytes], psutil.Process]:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(folder)], stdout=subprocess.PIPE, cwd=ROOT)
    assert parent.stdout is not None
    with parent.stdout as told:
        return parent, psutil.Process(int(told.readline()))


async def test_it_serves_a_store_on_its_socket(folder: Path) -> None:
    async with EmbeddedRedis(folder) as socket_path:
        job = a_job()
        async with store_at(socket_path) as store:
            await store.submit(job)
            assert (await claim_one(store)).job_id == job.job_id

        assert is_private(socket_path)
        assert is_private(folder)
    assert not await answers(socket_path)


def is_written(socket_path: Path) -> None:
    """Return once it has written all that it said; it puts that off by up to two seconds where the disk is slow."""
    with Redis(unix_socket_path=str(socket_path)) as client:
        while client.info("persistence")["aof_buffer_length"]:
            pass


async def test_jobs_survive_its_restart_and_its_death(folder: Path) -> None:
    redis = EmbeddedRedis(folder)
    jobs = []
    for end in (signal.SIGTERM, signal.SIGKILL):
        await redis.start()
        async with store_at(redis.socket_path) as store:
            jobs.append((await store.submit(a_job())).state.job_id)
        is_written(redis.socket_path)
        assert redis.pid is not None
        os.kill(redis.pid, end)
        assert await redis.died() in (0, -9)
        await redis.stop()

    async with redis as socket_path, store_at(socket_path) as store:
        assert [(await claim_one(store)).job_id for _ in jobs] == jobs


async def test_its_data_are_kept_as_the_shipped_configuration_says(folder: Path) -> None:
    shipped = dict(
        line.split(maxsplit=1)
        for line in (ROOT / "config" / "redis.conf").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    )
    command = server_command(Path("redis-server"), folder, folder / "redis.sock")
    options = {name.removeprefix("--"): value or '""' for name, value in zip(command[1::2], command[2::2], strict=True)}

    about_data = {"appendonly", "appendfsync", "no-appendfsync-on-rewrite", "save", "maxmemory-policy"}
    assert about_data <= shipped.keys()
    assert {name: options[name] for name in about_data} == {name: shipped[name] for name in about_data}


async def test_a_second_one_on_the_same_folder_is_refused(folder: Path) -> None:
    async with EmbeddedRedis(folder) as socket_path:
        with pytest.raises(Misconfigured, match="is used by another supervisor"):
            await EmbeddedRedis(folder, lock_wait_s=0.1).start()

        assert await answers(socket_path)


async def test_a_start_waits_for_the_server_of_before_to_end(folder: Path) -> None:
    first, second = EmbeddedRedis(folder), EmbeddedRedis(folder, lock_wait_s=20)
    await first.start()

    async with asyncio.TaskGroup() as group:
        group.create_task(second.start())
        group.create_task(first.stop())

    assert await answers(second.socket_path)
    await second.stop()


async def test_a_long_path_gets_a_socket_elsewhere(folder: Path) -> None:
    deep = folder / ("d" * 60) / ("e" * 60)
    redis = EmbeddedRedis(deep)

    async with redis as socket_path:
        assert await answers(socket_path)
        assert len(os.fsencode(socket_path)) < 107
        assert (deep / "appendonly.aof").exists()
    assert EmbeddedRedis(deep).socket_path == socket_path
    socket_path.parent.rmdir()


async def test_a_server_that_cannot_start_says_why(folder: Path) -> None:
    spoil(folder)

    with pytest.raises(Misconfigured, match="Bad file format"):
        await EmbeddedRedis(folder).start()

    mend(folder)
    async with EmbeddedRedis(folder, lock_wait_s=0):
        pass  # the lock was given back


async def test_a_cancelled_start_leaves_nothing_behind(folder: Path) -> None:
    redis = EmbeddedRedis(folder)
    starting = asyncio.ensure_future(redis.start())
    while redis.pid is None:  # noqa: ASYNC110 # nobody tells when it has one
        await asyncio.sleep(0)
    pid = redis.pid

    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)

    assert not psutil.pid_exists(pid)


async def test_a_server_that_does_not_end_is_killed(folder: Path) -> None:
    redis = EmbeddedRedis(folder, stop_s=0.05)
    await redis.start()
    assert redis.pid is not None
    os.kill(redis.pid, signal.SIGSTOP)

    await redis.stop()

    assert await redis.died() == -9


async def test_stopping_what_was_not_started_is_no_error(folder: Path) -> None:
    redis = EmbeddedRedis(folder)

    await redis.stop()

    assert redis.pid is None
    assert await redis.died() == -1


async def test_it_dies_with_its_parent_and_the_next_start_takes_over(folder: Path) -> None:
    parent, server = start_parent(folder)

    parent.kill()
    parent.wait()

    psutil.wait_procs([server], timeout=20)
    assert not server.is_running()
    async with EmbeddedRedis(folder) as socket_path:
        assert await answers(socket_path)


async def test_without_a_server_program_it_says_what_to_do(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    monkeypatch.setenv("PATH", str(folder))

    with pytest.raises(Misconfigured, match="REDIS_HOST"):
        await EmbeddedRedis(folder).start()


async def test_a_server_program_on_the_path_will_do(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packaged = embedded_files.find_server()
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    monkeypatch.setenv("PATH", str(packaged.parent))

    assert embedded_files.find_server() == packaged


async def test_a_folder_of_somebody_else_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)

    with pytest.raises(Misconfigured, match="belongs to somebody else"):
        await EmbeddedRedis(folder).start()


async def test_a_folder_that_cannot_be_made_is_said() -> None:
    with pytest.raises(Misconfigured, match="cannot be used"):
        await EmbeddedRedis(Path("/dev/null/below")).start()
