"""Who a supervisor is: the same as before where its lock is free, somebody else where it is not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chef_supervisor.domain.errors import Misconfigured
from chef_supervisor.instance import Instance, InstanceLock, take, take_instance

HOLDER = """
import sys
from pathlib import Path
from chef_supervisor.instance import take_instance
print(take_instance(Path(sys.argv[1]), sys.argv[2]).mark, flush=True)
sys.stdin.read()
"""


@contextmanager
def held(state_dir: Path, name: str = "") -> Iterator[subprocess.Popen[str]]:
    """Another process that holds an instance; its mark is the first line of its output."""
    command = [sys.executable, "-c", HOLDER, str(state_dir), name]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def mark_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(take, "_PATIENCE_S", 0.1)


def test_a_slot_is_the_same_instance_at_every_start(tmp_path: Path) -> None:
    first = take_instance(tmp_path)
    first.release()

    again = take_instance(tmp_path)

    assert (again.id, again.mark, again.folder) == (first.id, first.mark, first.folder)
    assert again.id == again.mark
    assert again.folder == tmp_path / "instances" / "0"
    again.release()


def test_each_of_several_processes_has_a_slot_of_its_own(tmp_path: Path) -> None:
    instances = [take_instance(tmp_path) for _ in range(3)]

    assert [instance.folder.name for instance in instances] == ["0", "1", "2"]
    assert len({instance.id for instance in instances}) == 3
    release(instances)


def test_the_lowest_slot_that_is_free_is_taken(tmp_path: Path) -> None:
    instances = [take_instance(tmp_path) for _ in range(3)]
    instances[1].release()

    again = take_instance(tmp_path)

    assert again.id == instances[1].id
    release([*instances, again])


def test_what_a_killed_process_held_is_free(tmp_path: Path) -> None:
    with held(tmp_path, "worker-1") as holder:
        mark = mark_of(holder)
        with pytest.raises(Misconfigured, match=r"CHEF_INSTANCE='worker-1': another supervisor"):
            take_instance(tmp_path, "worker-1")
        holder.send_signal(signal.SIGKILL)
        holder.wait()

        instance = take_instance(tmp_path, "worker-1")

    assert instance.mark == mark
    release([instance])


def test_a_name_is_waited_for_while_its_last_process_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(take, "_PATIENCE_S", 60.0)
    with held(tmp_path, "a") as holder:
        mark_of(holder)

        def end(_: float) -> None:
            holder.kill()
            holder.wait()

        monkeypatch.setattr(time, "sleep", end)

        instance = take_instance(tmp_path, "a")

    release([instance])


def test_a_name_is_who_claims_in_any_folder_and_its_mark_is_of_this_folder(tmp_path: Path) -> None:
    here, there = take_instance(tmp_path / "here", "a"), take_instance(tmp_path / "there", "a")

    assert here.id == there.id == "a"
    assert here.mark != there.mark
    assert here.mark.startswith("a-")
    release([here, there])


def test_no_child_inherits_the_lock(tmp_path: Path) -> None:
    instance = take_instance(tmp_path, "a")
    with subprocess.Popen(["sleep", "600"], close_fds=False) as child:
        instance.release()

        again = take_instance(tmp_path, "a")

        child.kill()
    release([again])


@pytest.mark.parametrize("half", ["", "0123", "0123456789ABCDEF", "../../etc", "\udcff"])
def test_half_of_a_random_text_is_made_anew(tmp_path: Path, half: str) -> None:
    first = take_instance(tmp_path)
    first.release()
    (first.folder / "id").write_bytes(half.encode(errors="surrogateescape"))

    again = take_instance(tmp_path)

    assert len(again.mark) == 16
    assert (again.folder / "id").read_text() == again.mark
    assert again.mark != half
    release([again])


def test_a_state_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "instances").write_text("a file")

    with pytest.raises(Misconfigured, match="CHEF_STATE_DIR="):
        take_instance(tmp_path)


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)

    with pytest.raises(Misconfigured, match="belongs to somebody else"):
        take_instance(tmp_path)


def test_a_random_text_that_cannot_be_written_leaves_the_lock_free(tmp_path: Path) -> None:
    folder = tmp_path / "instances" / "a"
    (folder / "id").mkdir(parents=True)

    with pytest.raises(Misconfigured, match="Is a directory"):
        take_instance(tmp_path, "a")

    lock = InstanceLock.try_take(folder)
    assert lock is not None
    lock.release()


def test_a_lock_is_released_once(tmp_path: Path) -> None:
    lock = InstanceLock.try_take(tmp_path)
    assert lock is not None
    lock.release()
    other = InstanceLock.try_take(tmp_path)

    # Its number may be somebody else's by now.
    lock.release()

    assert InstanceLock.try_take(tmp_path) is None
    assert other is not None
    other.release()


def release(instances: list[Instance]) -> None:
    for instance in instances:
        instance.release()
