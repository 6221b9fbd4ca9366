"""
However a job ends, bubblewrap leaves no folder, no process and no open file behind: on the loop of the service, uvloop,
and on asyncio's own, which treat processes and pipes very differently.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias

import attrs
import pytest
import uvloop

from chef_supervisor.domain.errors import SandboxUnavailable
from chef_supervisor.domain.work import StepOutput, Work
from chef_supervisor.sandboxes.bubblewrap import BubblewrapSandbox
from chef_supervisor.sandboxes.config import BubblewrapConfig
from chef_supervisor.sandboxes.sandbox import BoxOrder, Dependencies, Limits, Role
from tests.integration.sandboxes.boxes import LIMITS, eventually, order, shell, work

InLoop: TypeAlias = Callable[[Coroutine[Any, Any, None]], None]
OURS = ("pipe:", "anon_inode:[pidfd]", "/memfd:chef")
INSTALL = attrs.evolve(work(shell("mkdir -p a/b && touch a/b/c && chmod 0 a/b a")), root="/deps")
ENDLESS = work(shell("echo ready; sleep 600"))
INSTALLS_FOR_EVER = attrs.evolve(
    work(shell("mkdir a; echo ready; while :; do touch a/$((n = n + 1)); done")), root="/deps"
)
TALKS_FOR_EVER = attrs.evolve(work(shell("yes")), live_bytes_per_s=1 << 40, most_output_bytes=1 << 50)


@pytest.fixture(params=[None, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def in_loop(request: pytest.FixtureRequest, bubblewrap: BubblewrapSandbox) -> InLoop:
    def run(test: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=request.param, debug=True) as runner:
            runner.run(test)

    return run


@pytest.fixture
def bubblewrap(tmp_path: Path) -> BubblewrapSandbox:
    sandbox = BubblewrapSandbox(BubblewrapConfig(data_dir=tmp_path))
    try:
        asyncio.run(sandbox.probe())
    except SandboxUnavailable as error:
        pytest.skip(error.reason)
    return sandbox


@pytest.fixture
def limits() -> Limits:
    """Returns: limits with a size that no other box of this machine has; its processes are known by that."""
    return attrs.evolve(LIMITS, workspace_bytes=(8192 + secrets.randbelow(8192)) * 4096)


def processes_of(limits: Limits) -> list[str]:
    size = limits.workspace_bytes
    return [
        entry.name
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit()
        and (str(size).encode() in _read(entry / "cmdline") or f"size={size // 1024}k,".encode() in _read(entry / "mountinfo"))
    ]  # fmt: skip


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def open_files() -> set[str]:
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            if str(entry.readlink()).startswith(OURS):
                found.add(f"{entry.name} {entry.readlink()}")
    return found


@asynccontextmanager
async def nothing_left(sandbox: BubblewrapSandbox, limits: Limits) -> AsyncIterator[None]:
    before = open_files()
    yield
    # The kernel closes what a dying process held open a moment before it takes its mounts away.
    await eventually(lambda: processes_of(limits) == [], "no process is left")
    assert [path.name for path in (sandbox._config.data_dir / "deps").glob("*")] == []
    # A loop may close what it was given a little later.
    await eventually(lambda: open_files() <= before, "no file is left open")


async def job(sandbox: BubblewrapSandbox, limits: Limits, install: Work, what: Work, ready: asyncio.Event) -> None:
    async with sandbox.dependencies("a-job") as dependencies:
        await _box(sandbox, order(Role.INSTALL, limits), dependencies, install, ready)
        await _box(sandbox, order(Role.JOB, limits), dependencies, what, ready)


async def _box(
    sandbox: BubblewrapSandbox, box_order: BoxOrder, dependencies: Dependencies, what: Work, ready: asyncio.Event
) -> None:
    async with sandbox.box(box_order, dependencies) as box:
        async for event in box.run(what):
            if isinstance(event, StepOutput):
                ready.set()


def test_when_it_ended(in_loop: InLoop, bubblewrap: BubblewrapSandbox, limits: Limits) -> None:
    async def end() -> None:
        async with nothing_left(bubblewrap, limits):
            await job(bubblewrap, limits, INSTALL, work(shell("exit 3")), asyncio.Event())

    in_loop(end())


@pytest.mark.parametrize(
    ("install", "what"),
    [(INSTALL, ENDLESS), (INSTALL, TALKS_FOR_EVER), (INSTALLS_FOR_EVER, ENDLESS)],
    ids=["running", "talking", "installing"],
)
def test_when_it_is_cancelled(
    in_loop: InLoop, bubblewrap: BubblewrapSandbox, limits: Limits, install: Work, what: Work
) -> None:
    async def cancel() -> None:
        ready = asyncio.Event()
        async with nothing_left(bubblewrap, limits):
            running = asyncio.ensure_future(job(bubblewrap, limits, install, what, ready))
            await ready.wait()
            await asyncio.sleep(0.3)
            assert processes_of(limits)
            await _cancelled(running)

    in_loop(cancel())


def test_when_it_is_cancelled_at_any_moment_of_its_start(
    in_loop: InLoop, bubblewrap: BubblewrapSandbox, limits: Limits
) -> None:
    async def cancel() -> None:
        async with nothing_left(bubblewrap, limits):
            for moment_ms in range(0, 100, 3):
                running = asyncio.ensure_future(job(bubblewrap, limits, ENDLESS, ENDLESS, asyncio.Event()))
                await asyncio.sleep(moment_ms / 1000)
                await _cancelled(running)

    in_loop(cancel())


async def _cancelled(running: asyncio.Future[None]) -> None:
    running.cancel()
    left_at = asyncio.get_running_loop().time()
    with pytest.raises(asyncio.CancelledError):
        await running
    # Source: a stopping service has 10 s for it, and gives the job back in that time too.
    assert asyncio.get_running_loop().time() - left_at < 6


@pytest.mark.parametrize("bwrap", ["/bin/false", "/nowhere/bwrap"])
def test_when_it_cannot_be_started(in_loop: InLoop, limits: Limits, tmp_path: Path, bwrap: str) -> None:
    async def fail() -> None:
        sandbox = BubblewrapSandbox(BubblewrapConfig(data_dir=tmp_path, bwrap=Path(bwrap)))
        async with nothing_left(sandbox, limits):
            for _ in range(3):
                with pytest.raises(SandboxUnavailable):
                    await job(sandbox, limits, INSTALL, ENDLESS, asyncio.Event())

    in_loop(fail())


@pytest.mark.parametrize("call", ["pipe", "memfd_create", "pidfd_open"])
def test_when_no_more_files_may_be_opened(
    in_loop: InLoop,
    bubblewrap: BubblewrapSandbox,
    limits: Limits,
    monkeypatch: pytest.MonkeyPatch,
    call: str,
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(24, "Too many open files")

    async def fail() -> None:
        async with nothing_left(bubblewrap, limits):
            with monkeypatch.context() as patch:
                patch.setattr(os, call, refuse)
                with pytest.raises(SandboxUnavailable, match="Too many open files"):
                    async with bubblewrap.box(order(limits=limits), None):
                        pass

    in_loop(fail())


def test_when_its_box_never_says_hello(in_loop: InLoop, limits: Limits, tmp_path: Path) -> None:
    async def fail() -> None:
        sandbox = BubblewrapSandbox(BubblewrapConfig(data_dir=tmp_path, start_timeout_s=0.002))
        async with nothing_left(sandbox, limits):
            for _ in range(5):
                with pytest.raises(SandboxUnavailable, match="no hello"):
                    await job(sandbox, limits, INSTALL, ENDLESS, asyncio.Event())

    in_loop(fail())
