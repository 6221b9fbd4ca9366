"""What of a folder is sent, beside what git ignores."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from chef_supervisor.client import Unfit, gather, gathering


def put(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path)


def test_gits_own_affairs_and_what_is_installed_are_never_sent(tmp_path: Path) -> None:
    put(
        tmp_path,
        "a.js",
        ".git/config",
        "node_modules/x/i.js",
        "sub/node_modules/y.js",
        "sub/.git",
        "sub/b.js",
        ".env.example",
    )
    (tmp_path / "sub" / ".gitignore").write_text("!node_modules\n!.git\n")

    assert set(gather(tmp_path).files) == {"a.js", "sub/b.js", "sub/.gitignore", ".env.example"}


def test_a_part_of_a_repository_minds_the_whole_ones_rules(tmp_path: Path) -> None:
    put(tmp_path, ".git/HEAD", "apps/web/a.js", "apps/web/a.log", "apps/web/out/b.js", "apps/web/keep.log")
    (tmp_path / ".gitignore").write_text("*.log\n/apps/*/out\n")
    (tmp_path / "apps" / ".gitignore").write_text("!keep.log\n")

    assert set(gather(tmp_path / "apps" / "web").files) == {"a.js", "keep.log"}


def test_rules_above_what_is_no_repository_do_not_count(tmp_path: Path) -> None:
    put(tmp_path, "web/a.log")
    (tmp_path / ".gitignore").write_text("*.log\n")

    assert set(gather(tmp_path / "web").files) == {"a.log"}


def test_folders_without_end_are_refused(tmp_path: Path) -> None:
    put(tmp_path, "a/" * (gathering.MOST_LEVELS + 1) + "b")

    with pytest.raises(Unfit, match="more than 100 folders in each other"):
        gather(tmp_path)


def test_a_link_to_a_file_that_is_sent_goes_as_that_file(tmp_path: Path) -> None:
    put(tmp_path, "src/a.js")
    (tmp_path / "b.js").symlink_to("src/a.js")

    found = gather(tmp_path)

    assert found.files == {"src/a.js": b"src/a.js", "b.js": b"src/a.js"}
    assert found.notes == ()


@pytest.mark.parametrize(
    "target",
    ["../outside", "/etc/hostname", ".git/config", "ignored", "nowhere", "src", "loop", "through/outside"],
)
def test_a_link_to_anything_else_stays_and_that_is_told(tmp_path: Path, target: str) -> None:
    put(tmp_path, "outside", "project/src/a.js", "project/.git/config", "project/ignored")
    project = tmp_path / "project"
    (project / ".gitignore").write_text("ignored\nthrough\n")
    (project / "through").symlink_to("..")
    (project / "loop").symlink_to("loop")

    (project / "link").symlink_to(target)
    found = gather(project)

    assert set(found.files) == {"src/a.js", ".gitignore"}
    assert [note for note in found.notes if note.startswith("link is a link to what is not sent")]


def test_a_linked_folder_is_not_walked_into(tmp_path: Path) -> None:
    put(tmp_path, "outside/secret", "project/a.js")
    (tmp_path / "project" / "sub").symlink_to("../outside")

    found = gather(tmp_path / "project")

    assert set(found.files) == {"a.js"}
    assert len(found.notes) == 1


def test_what_is_no_file_stays_and_that_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "a.js")
    os.mkfifo(tmp_path / "pipe")
    # The name of a socket may not be as long as that of the folder is.
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("socket")

    found = gather(tmp_path)

    assert set(found.files) == {"a.js"}
    assert found.notes == ("pipe is no file and was not sent", "socket is no file and was not sent")


def test_a_folder_of_too_much_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "MOST_BYTES", 100)
    for number in range(9):
        (tmp_path / f"{number}.bin").write_bytes(b"x" * (10 + number))

    with pytest.raises(Unfit) as refused:
        gather(tmp_path)

    told = str(refused.value)
    assert "more than 100 bytes" in told
    assert "8.bin (18 bytes), 7.bin (17 bytes)" in told
    assert "3.bin" not in told
    assert ".gitignore" in told


def test_a_folder_of_too_many_files_is_left_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "MOST_FILES", 2)
    put(tmp_path, "a", "b", "c")

    with pytest.raises(Unfit, match=r"more than 2 files in .*is it the project's own folder\?"):
        gather(tmp_path)


def test_a_folder_without_a_file_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "node_modules/a.js")

    with pytest.raises(Unfit, match="there is no file to send"):
        gather(tmp_path)


def test_a_name_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"\xff.js")).write_text("x")

    with pytest.raises(Unfit, match=r"is not UTF-8; rename the file"):
        gather(tmp_path)


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unfit, match=r"missing cannot be read: No such file"):
        gather(tmp_path / "missing")
