"""Folders of dependencies that a killed process left: in our own data folder, and in those of dead instances."""

from __future__ import annotations

from pathlib import Path

import pytest

from chef_supervisor.domain.errors import SandboxUnavailable
from chef_supervisor.instance import Instance, take_instance
from chef_supervisor.sandboxes.bubblewrap import BubblewrapSandbox, removal
from chef_supervisor.sandboxes.bubblewrap.process import BoxProcess
from chef_supervisor.sandboxes.bubblewrap.sandbox import _agent_of
from chef_supervisor.sandboxes.config import BubblewrapConfig
from chef_supervisor.sandboxes.leftover import Leftover, LeftoverKind

pytestmark = pytest.mark.asyncio


def sandbox_of(instance: Instance) -> BubblewrapSandbox:
    return BubblewrapSandbox(BubblewrapConfig(data_dir=instance.folder / "boxes", siblings=instance.folder.parent))


def leave(instance: Instance, name: str) -> Path:
    path = instance.folder / "boxes" / "deps" / name
    (path / "a" / "b").mkdir(parents=True)
    (path / "a").chmod(0)
    return path


async def left_for(sandbox: BubblewrapSandbox) -> set[Path]:
    leftovers = await sandbox.leftovers()
    assert {leftover.kind for leftover in leftovers} <= {LeftoverKind.FOLDER}
    return {Path(leftover.handle) for leftover in leftovers}


async def test_what_our_last_process_left_is_told_and_removed(tmp_path: Path) -> None:
    instance = take_instance(tmp_path, "a")
    left = {leave(instance, "job-1"), leave(instance, ".set-aside")}
    sandbox = sandbox_of(instance)

    assert await left_for(sandbox) == left
    for leftover in await sandbox.leftovers():
        await sandbox.remove(leftover)

    assert list((instance.folder / "boxes" / "deps").iterdir()) == []
    assert await left_for(sandbox) == set()
    instance.release()


async def test_what_this_process_uses_is_no_leftover_and_not_removed(tmp_path: Path) -> None:
    instance = take_instance(tmp_path, "a")
    sandbox = sandbox_of(instance)

    async with sandbox.dependencies("job-1"):
        assert await left_for(sandbox) == set()
        path = instance.folder / "boxes" / "deps" / "job-1"
        await sandbox.remove(Leftover(handle=str(path), kind=LeftoverKind.FOLDER))
        assert path.is_dir()
    instance.release()


async def test_what_this_process_is_removing_is_no_leftover(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    instance = take_instance(tmp_path, "a")
    sandbox, seen = sandbox_of(instance), list[set[Path]]()
    begin = removal._begin_removal

    def look_and_begin(doomed: Path) -> object:
        seen.append({Path(leftover.handle) for leftover in sandbox._leftovers.found()})
        return begin(doomed)

    monkeypatch.setattr(removal, "_begin_removal", look_and_begin)
    async with sandbox.dependencies("job-1"):
        pass

    assert seen == [set()]
    assert not removal.under_way
    instance.release()


async def test_folders_of_the_dead_are_removed_and_those_of_the_living_stay(tmp_path: Path) -> None:
    ours, living, dead = take_instance(tmp_path, "a"), take_instance(tmp_path, "b"), take_instance(tmp_path, "c")
    stays, goes = leave(living, "job-1"), leave(dead, "job-2")
    dead.release()
    (tmp_path / "instances" / "a-file").touch()
    sandbox = sandbox_of(ours)

    assert await left_for(sandbox) == {goes}
    for path in (stays, goes):
        await sandbox.remove(Leftover(handle=str(path), kind=LeftoverKind.FOLDER))

    assert stays.exists()
    assert not goes.exists()
    # Its name is free for whoever starts next.
    take_instance(tmp_path, "c").release()
    for instance in (ours, living):
        instance.release()


async def test_who_came_back_meanwhile_keeps_its_folders(tmp_path: Path) -> None:
    ours, other = take_instance(tmp_path, "a"), take_instance(tmp_path, "b")
    path = leave(other, "job-1")
    other.release()
    sandbox = sandbox_of(ours)
    [leftover] = await sandbox.leftovers()

    again = take_instance(tmp_path, "b")
    await sandbox.remove(leftover)

    assert path.exists()
    for instance in (ours, again):
        instance.release()


async def test_a_folder_that_cannot_be_read_is_trouble(tmp_path: Path) -> None:
    instance = take_instance(tmp_path, "a")
    (instance.folder / "boxes").mkdir()
    (instance.folder / "boxes" / "deps").touch()

    with pytest.raises(SandboxUnavailable, match="left behind"):
        await sandbox_of(instance).leftovers()
    instance.release()


async def test_a_bubblewrap_that_is_gone_is_told_by_a_ping(tmp_path: Path) -> None:
    sandbox = BubblewrapSandbox(BubblewrapConfig(data_dir=tmp_path, bwrap=Path("/nowhere/bwrap")))

    with pytest.raises(SandboxUnavailable, match="/nowhere/bwrap is gone"):
        await sandbox.ping()


@pytest.mark.parametrize(
    "error", [ProcessLookupError(3, "No such process"), ValueError("x"), KeyError("x"), TypeError()]
)
async def test_a_box_that_died_after_its_hello_is_trouble_of_the_sandbox(error: Exception) -> None:
    class Gone:
        def agent_pid(self) -> int:
            raise error

    process: BoxProcess = Gone()  # type: ignore[assignment]
    with pytest.raises(SandboxUnavailable, match="process id"):
        _agent_of(process)
