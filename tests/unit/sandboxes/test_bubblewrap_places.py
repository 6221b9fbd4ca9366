"""Folders for dependencies, whose removal may take longer than there is time."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from chef_supervisor.domain.errors import SandboxUnavailable
from chef_supervisor.sandboxes.bubblewrap import removal as removing
from chef_supervisor.sandboxes.bubblewrap.places import dependency_folder
from chef_supervisor.sandboxes.config import BubblewrapConfig

pytestmark = pytest.mark.asyncio


@pytest.fixture
def config(tmp_path: Path) -> BubblewrapConfig:
    return BubblewrapConfig(data_dir=tmp_path, remove_timeout_s=0.05, hurry_s=0.05)


@pytest.fixture
def removals(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Make every removal take longer than any test."""
    begun: list[subprocess.Popen[bytes]] = []
    begin = removing._begin_removal

    def begin_and_note(doomed: Path) -> subprocess.Popen[bytes]:
        begun.append(begin(doomed))
        return begun[-1]

    monkeypatch.setattr(removing, "_REMOVE", "exec sleep 600")
    monkeypatch.setattr(removing, "_begin_removal", begin_and_note)
    yield begun
    for removal in begun:
        removal.kill()
        removal.wait()


async def test_a_removal_that_takes_too_long_goes_on_alone(
    config: BubblewrapConfig, removals: list[subprocess.Popen[bytes]], caplog: pytest.LogCaptureFixture
) -> None:
    async with dependency_folder(config, "a", as_root=False) as folder:
        pass

    assert [removal.poll() for removal in removals] == [None]
    assert not folder.path.exists()
    assert [record.__dict__["event"] for record in caplog.records] == ["dependencies.left_behind"]
    assert caplog.records[0].levelno == logging.WARNING


async def test_a_removal_does_not_hold_up_who_is_cancelled(
    tmp_path: Path, removals: list[subprocess.Popen[bytes]]
) -> None:
    config = BubblewrapConfig(data_dir=tmp_path, hurry_s=0.05)

    async def use() -> None:
        async with dependency_folder(config, "a", as_root=False):
            pass

    using = asyncio.create_task(use())
    # Nothing of what comes before the removal waits for anything.
    await asyncio.sleep(0)
    assert removals
    using.cancel()
    async with asyncio.timeout(10):
        with pytest.raises(asyncio.CancelledError):
            await using

    assert removals[0].poll() is None


async def test_a_name_is_free_while_the_last_of_that_name_is_removed(
    config: BubblewrapConfig, removals: list[subprocess.Popen[bytes]]
) -> None:
    for _ in range(2):
        async with dependency_folder(config, "a", as_root=False) as folder:
            assert list(folder.path.iterdir()) == []
            (folder.path / "installed").touch()

    assert len(removals) == 2


async def test_a_removal_that_fails_is_told(
    config: BubblewrapConfig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(removing, "_REMOVE", "exit 1")

    async with dependency_folder(config, "a", as_root=False):
        pass

    assert [record.__dict__["event"] for record in caplog.records] == ["dependencies.left_behind"]


async def test_a_removal_that_cannot_be_begun_is_told(
    config: BubblewrapConfig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_: Path) -> None:
        raise OSError(24, "Too many open files")

    async with dependency_folder(config, "a", as_root=False):
        monkeypatch.setattr(removing, "_begin_removal", refuse)

    assert [record.__dict__["event"] for record in caplog.records] == ["dependencies.left_behind"]


async def test_a_place_that_could_not_be_made_ours_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "chown", refuse)

    with pytest.raises(SandboxUnavailable, match="not permitted"):
        async with dependency_folder(BubblewrapConfig(data_dir=tmp_path), "a", as_root=True):
            pass

    assert list((tmp_path / "deps").iterdir()) == []
