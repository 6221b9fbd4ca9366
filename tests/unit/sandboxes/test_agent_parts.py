"""The parts of the agent that can be tried without a box."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chef_supervisor.domain.errors import Unprocessable
from chef_supervisor.domain.files import check_path
from chef_supervisor.sandboxes.agent import beneath
from chef_supervisor.sandboxes.agent.globs import start_of, translate
from chef_supervisor.sandboxes.agent.links import link_modules
from chef_supervisor.sandboxes.agent.names import name_outside
from chef_supervisor.sandboxes.agent.output import Bounded


@given(st.lists(st.tuples(st.integers(0, 3), st.binary(min_size=1, max_size=40))), st.integers(2, 60))
def test_output_keeps_head_and_tail_and_counts_the_rest(prints: list[tuple[int, bytes]], limit: int) -> None:
    bounded = Bounded(limit)
    everything = [(index, bytes([byte])) for index, chunk in prints for byte in chunk]

    head = [(index, bytes([byte])) for index, chunk in prints for byte in bounded.admit(index, chunk)]
    tail = [(index, bytes([byte])) for index, chunk in bounded.tail.take() for byte in chunk]

    half = limit // 2
    rest = everything[half:]
    assert head == everything[:half]
    assert tail == rest[max(0, len(rest) - (limit - half)) :]
    assert bounded.tail.dropped == len(everything) - len(head) - len(tail)


def test_many_small_prints_take_few_segments() -> None:
    bounded = Bounded(1 << 17)
    for _ in range(1 << 18):
        bounded.admit(0, b"x")

    assert len(bounded.tail.take()) < 16


@given(st.text(max_size=40))
@example("a/" * 16 + "b")
@example("a" * 256)
@example("é" * 200)
@example(".chef/x")
@example("C:x")
@example("a\u200bb")
@example("cafe\u0301")
def test_a_name_leaves_if_and_only_if_the_supervisor_takes_it_and_as_what_it_calls_it(path: str) -> None:
    taken: str | None
    try:
        taken = check_path(path, "x")
    except Unprocessable:
        taken = None

    assert name_outside(path) == taken


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("dist/**", ["dist/a", "dist/a/b.c"], ["dist", "dist2/a", "a/dist/b"]),
        ("**/*.js", ["a.js", "x/y/a.js"], ["a.jsx", "a.js/b"]),
        ("a/*/c?", ["a/b/cd"], ["a/b/c", "a/b/b/cd", "a/cd"]),
        ("a.b", ["a.b"], ["aXb", "x/a.b"]),
        ("**", ["a", "a/b"], []),
        ("x/**/y", ["x/y", "x/1/2/y"], ["x/1", "y"]),
        ("[a]", ["[a]"], ["a"]),
    ],
)
def test_patterns(pattern: str, matching: list[str], others: list[str]) -> None:
    matches = translate(pattern).fullmatch

    assert [path for path in matching + others if matches(path)] == matching


def test_a_walk_starts_where_every_match_is() -> None:
    assert [start_of(pattern) for pattern in ("dist/js/*.js", "**/x", "x", "a/b*/c")] == [["dist", "js"], [], [], ["a"]]


@pytest.mark.parametrize("path", ["../x", "/x", "a/../x", "a//b", ".", "", "a/\0", "a/."])
def test_a_path_that_escapes_is_refused(path: str, tmp_path: Path) -> None:
    root = os.open(tmp_path, os.O_RDONLY)

    with pytest.raises(beneath.Escapes):
        beneath.write_file(root, path, b"x")

    os.close(root)
    assert list(tmp_path.iterdir()) == []


def test_a_link_is_never_followed(tmp_path: Path) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    outside.mkdir()
    inside.mkdir()
    (outside / "secret").write_text("secret")
    (inside / "folder").symlink_to(outside)
    (inside / "file").symlink_to(outside / "secret")
    root = os.open(inside, os.O_RDONLY)

    for path in ("folder/new", "file"):
        with pytest.raises(OSError, match=r".+"):
            beneath.write_file(root, path, b"x")
    for path in ("folder/secret", "file"):
        with pytest.raises(OSError, match=r".+"):
            beneath.open_regular(root, path)

    os.close(root)
    assert [path.name for path in outside.iterdir()] == ["secret"]
    assert (outside / "secret").read_text() == "secret"


def test_node_modules_is_made_of_links(tmp_path: Path) -> None:
    modules, root = tmp_path / "deps" / "node_modules", tmp_path / "ws"
    for folder in ("plain", "@scope/one", ".bin", ".cache", ".pnpm"):
        (modules / folder).mkdir(parents=True)
    (modules / ".package-lock.json").write_text("{}")
    (modules / ".bin" / "tool").symlink_to("../plain/tool.js")
    (modules / "own").symlink_to("../packages/own")
    (root / "node_modules" / "plain").mkdir(parents=True)

    link_modules(str(root), str(tmp_path / "deps"))

    made = root / "node_modules"
    assert sorted(path.name for path in made.iterdir()) == [
        ".bin", ".package-lock.json", ".pnpm", "@scope", "own", "plain",
    ]  # fmt: skip
    assert not (made / "plain").is_symlink()
    assert (made / "@scope" / "one").readlink() == modules / "@scope" / "one"
    assert (made / ".bin" / "tool").readlink() == modules / "plain" / "tool.js"
    assert (made / "own").readlink() == root / "packages" / "own"
    assert not (made / ".package-lock.json").is_symlink()


def test_without_installed_modules_nothing_is_made(tmp_path: Path) -> None:
    link_modules(str(tmp_path), str(tmp_path / "nowhere"))

    assert list(tmp_path.iterdir()) == []
