"""The one program that writes to the store of dependencies: what it copies, refuses, remembers and cleans away."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path
from typing import Any

import pytest

from chef_supervisor.sandboxes.keeper.serve import serve

KEY, OTHER = "a" * 40, "b" * 40


@pytest.fixture
def staging(tmp_path: Path) -> Path:
    made = tmp_path / "staging"
    (made / KEY).mkdir(parents=True)
    return made


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


def put(store: Path, staging: Path, key: str = KEY, **more: Any) -> dict[str, Any]:
    request = {
        "do": "put",
        "key": key,
        "max_bytes": 1 << 20,
        "max_files": 100,
        "lifetime_s": None,
        "notes": [],
        "used": {},
    }
    return serve(request | more, str(store), str(staging))


def look(store: Path, **more: Any) -> dict[str, Any]:
    return serve({"do": "look", "used": {}, **more}, str(store), None)


def test_a_store_is_made_where_there_is_none_and_nobody_can_list_it(store: Path) -> None:
    told = look(store)

    assert told["stored"] == {}
    assert stat.S_IMODE(store.stat().st_mode) == 0o711
    assert stat.S_IMODE((store / ".secret").stat().st_mode) == 0o600
    assert stat.S_IMODE((store / ".index").stat().st_mode) == 0o700


def test_the_secret_stays_the_same_and_a_torn_one_is_made_anew(store: Path) -> None:
    secret = look(store)["secret"]

    assert look(store)["secret"] == secret
    assert len(bytes.fromhex(secret)) == 32
    (store / ".secret").write_bytes(b"torn")
    assert len(bytes.fromhex(look(store)["secret"])) == 32


def test_what_was_put_is_told_with_all_that_is_known_of_it(store: Path, staging: Path) -> None:
    (staging / KEY / "file").write_text("content")

    told = put(store, staging, lifetime_s=60, notes=["scripts failed"])

    stored = told["stored"][KEY]
    assert (stored["bytes"], stored["notes"]) == (4096, ["scripts failed"])
    assert stored["expires_s"] == pytest.approx(stored["made_s"] + 60)
    assert look(store)["stored"] == told["stored"]


def test_a_socket_is_refused_and_nothing_stays(store: Path, staging: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The name of a socket is short.
    monkeypatch.chdir(staging / KEY)
    with socket.socket(socket.AF_UNIX) as line:
        line.bind("line")

        told = put(store, staging)

    assert told["refused"] == "'line' is a device, a pipe or a socket"
    assert told["stored"] == {}
    assert [path.name for path in store.iterdir() if path.name.startswith(".in")] == [".index"]


def test_a_file_with_holes_counts_as_what_its_copy_could_take(store: Path, staging: Path) -> None:
    with (staging / KEY / "sparse").open("wb") as file:
        file.truncate(1 << 40)

    assert "take more than 1048576 bytes" in put(store, staging)["refused"]


def test_more_files_or_deeper_folders_than_may_be_are_refused(store: Path, staging: Path) -> None:
    for number in range(101):
        (staging / KEY / str(number)).touch()
    assert put(store, staging)["refused"] == "they are more than 100 files"

    deep = staging / OTHER
    deep.joinpath(*["d"] * 210).mkdir(parents=True)
    told = put(store, staging, key=OTHER, max_files=1000, max_bytes=1 << 30)
    assert told["refused"] == "their folders are nested more than 200 deep"


def test_a_place_that_is_a_link_is_no_place(store: Path, staging: Path) -> None:
    (staging / OTHER).symlink_to("/etc")

    assert put(store, staging, key=OTHER)["refused"] == "the install left no folder"


def test_files_that_are_closed_to_their_owner_are_copied_too(store: Path, staging: Path) -> None:
    closed = staging / KEY / "closed"
    closed.mkdir()
    (closed / "file").write_text("content")
    (closed / "file").chmod(0)
    closed.chmod(0)

    assert put(store, staging)["refused"] is None
    assert (store / KEY / "closed" / "file").read_text() == "content"


def test_times_are_kept_for_what_was_compiled(store: Path, staging: Path) -> None:
    os.utime((staging / KEY), (5, 5))
    (staging / KEY / "module.py").touch()
    os.utime((staging / KEY / "module.py"), (5, 5))

    put(store, staging)

    assert (store / KEY / "module.py").stat().st_mtime == 5


def test_an_entry_that_is_there_stays_as_it_is(store: Path, staging: Path) -> None:
    (staging / KEY / "file").write_text("first")
    put(store, staging)
    (staging / KEY / "file").write_text("second")

    told = put(store, staging, notes=["second"])

    assert (store / KEY / "file").read_text() == "first"
    assert told["stored"][KEY]["notes"] == []


def test_an_entry_whose_note_was_torn_by_a_crash_is_not_told_and_can_be_put_again(store: Path, staging: Path) -> None:
    put(store, staging)
    (store / ".index" / KEY).write_text("{")
    (staging / KEY / "file").write_text("second")

    assert look(store)["stored"] == {}
    assert put(store, staging)["stored"].keys() == {KEY}
    assert (store / KEY / "file").read_text() == "second"


def test_a_dropped_entry_is_gone_and_another_one_is_not(store: Path, staging: Path) -> None:
    put(store, staging)
    (staging / OTHER / "folder").mkdir(parents=True)
    put(store, staging, key=OTHER)

    told = serve({"do": "drop", "keys": [OTHER, "c" * 40], "used": {}}, str(store), None)

    assert told["stored"].keys() == {KEY}
    assert {path.name for path in store.iterdir()} == {KEY, ".index", ".secret", ".lock"}


def test_what_a_killed_keeper_left_is_removed_after_an_hour(
    store: Path, staging: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look(store)
    left = store / f".incoming-{'0' * 32}"
    (left / "folder").mkdir(parents=True)
    look(store)
    assert left.exists()

    later = left.stat().st_ctime + 3601
    monkeypatch.setattr("time.time", lambda: later)

    look(store)
    assert not left.exists()


def test_a_key_is_no_path(store: Path, staging: Path) -> None:
    with pytest.raises(ValueError, match=r"\.\."):
        serve({"do": "drop", "keys": ["../staging"], "used": {}}, str(store), None)
    assert staging.exists()
