"""The parts of the agent that can be tried without a box."""

from __future__ import annotations

import itertools
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
from chef_supervisor.sandboxes.agent.output import StepOutput, Tail, Trickle


class Ticking:
    """A clock that stands still until told."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@given(st.lists(st.binary(min_size=1, max_size=40)), st.integers(1, 60))
def test_output_keeps_head_and_tail_and_counts_the_rest(prints: list[bytes], limit: int) -> None:
    output, everything = StepOutput(limit, Trickle(1 << 20)), b"".join(prints)

    head = b""
    for chunk in prints:
        first = output.head(chunk)
        output.live(chunk[len(first) :])
        head += first

    assert head == everything[:limit]
    assert output.tail.bytes() == everything[limit:][-limit:]
    assert output.tail.dropped == len(everything) - len(head) - len(output.tail.bytes())


@given(st.lists(st.tuples(st.binary(min_size=1, max_size=60), st.floats(0, 0.5))))
def test_what_is_told_live_and_what_is_skipped_are_all_there_is(prints: list[tuple[bytes, float]]) -> None:
    clock = Ticking()
    output, everything, at = StepOutput(0, Trickle(40, clock)), b"", 0

    for chunk, pause_s in prints:
        clock.now_s += pause_s
        everything += chunk
        skipped, live = output.live(chunk)
        at += skipped
        assert everything[at : at + len(live)] == live
        at += len(live)

    assert at <= len(everything)


def test_live_output_flows_in_passages_and_not_in_crumbs() -> None:
    clock = Ticking()
    trickle, passed = Trickle(4000, clock), []

    for _ in range(10_000):
        passed.append(len(trickle.admit(bytes(100))))
        clock.now_s += 0.001

    assert 40_000 <= sum(passed) <= 44_000
    # Whole prints, and a quarter of a second's worth of them without a gap.
    assert sum(map(bool, passed)) <= 500
    stops = sum(after == 0 < before for before, after in itertools.pairwise(passed))
    assert stops <= 45


def test_all_that_was_not_told_since_the_last_that_was_is_skipped() -> None:
    clock = Ticking()
    output = StepOutput(0, Trickle(100, clock))
    told = [output.live(bytes(90)), output.live(bytes(90)), output.live(bytes(90)), output.live(bytes(7))]
    clock.now_s = 1.0

    told.append(output.live(bytes(90)))

    assert [(skipped, len(live)) for skipped, live in told] == [(0, 90), (0, 10), (0, 0), (0, 0), (80 + 90 + 7, 90)]


def test_many_small_prints_take_few_segments() -> None:
    tail = Tail(1 << 17)
    for _ in range(1 << 18):
        tail.keep(b"x")

    assert tail.bytes() == b"x" * (1 << 17)
    assert len(tail._segments) < 16


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


def test_the_packages_of_a_workspace_get_modules_of_their_own(tmp_path: Path) -> None:
    deps, root = tmp_path / "deps", tmp_path / "ws"
    for folder in ("node_modules/left", "node_modules/.pnpm/left@2/node_modules/left", ".yarn/x/node_modules/hidden"):
        (deps / folder).mkdir(parents=True)
    for folder in ("node_modules/plain", "node_modules/@ws"):
        (deps / "packages" / "a" / folder).mkdir(parents=True)
    (deps / "packages/a/node_modules/left").symlink_to("../../../node_modules/.pnpm/left@2/node_modules/left")
    (deps / "packages/a/node_modules/@ws/b").symlink_to("../../../b")
    (root / "packages" / "b").mkdir(parents=True)

    link_modules(str(root), str(deps))

    own = root / "packages" / "a" / "node_modules"
    assert (root / "node_modules" / "left").readlink() == deps / "node_modules" / "left"
    assert (own / "plain").readlink() == deps / "packages/a/node_modules/plain"
    assert (own / "left").resolve() == deps / "node_modules/.pnpm/left@2/node_modules/left"
    assert (own / "@ws" / "b").resolve() == root / "packages" / "b"
    assert not (root / ".yarn").exists()


def test_without_installed_modules_nothing_is_made(tmp_path: Path) -> None:
    link_modules(str(tmp_path), str(tmp_path / "nowhere"))

    assert list(tmp_path.iterdir()) == []
