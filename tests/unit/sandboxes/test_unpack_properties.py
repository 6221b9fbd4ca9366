"""Whatever bytes an archive has: its files come out within the limits, or it is refused with a sentence."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from chef_supervisor.domain.files import check_collisions, check_path
from chef_supervisor.sandboxes.agent.unpack.entries import BadArchive
from chef_supervisor.sandboxes.agent.unpack.main import unpack
from chef_supervisor.sandboxes.agent.unpack.places import ARCHIVE
from chef_supervisor.sandboxes.agent.unpack.rules import Limits
from tests.kit import archives
from tests.kit.archives import entry, tar, zipped

LIMITS = Limits(max_files=3, max_file_bytes=200, max_total_bytes=300)
_LINK = entry("l", type=archives.LINK, linkname="a")
_SEEDS = st.sampled_from(
    [
        tar({"a": b"x" * 100, "d/b": b"yy", f"{'long/' * 30}é": b""}, _LINK, compress=False),
        tar({"a": b"x" * 100}),
        zipped({"é.txt": b"abc" * 50, "d/b": b"q"}),
        archives.encrypted("a"),
    ]
)
_CHANGES = st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=4), st.integers(0, 600)), max_size=5)


def changed(archive: bytes, changes: list[tuple[float, bytes, int]]) -> bytes:
    for place, new, cut in changes:
        at = int(place * len(archive))
        archive = archive[:at] + new + archive[at + (cut if cut > 550 else len(new)) :]
    return archive


def check(archive: bytes) -> None:
    """Hold whatever comes out to the rules for files that are sent one by one."""
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        (top / ".chef").mkdir()
        (top / ARCHIVE).write_bytes(archive)
        try:
            count, _ = unpack(folder, LIMITS)
        except BadArchive:
            count = 0
        paths = [path for path in top.rglob("*") if path.is_file() and path.relative_to(top).parts[0] != ".chef"]
        assert len(paths) == count <= LIMITS.max_files
        assert sum(path.stat().st_size for path in paths) <= LIMITS.max_total_bytes
        check_collisions([check_path(str(path.relative_to(top)), "") for path in paths], "")


@settings(max_examples=150)
@given(_SEEDS, _CHANGES)
def test_no_bytes_break_the_program(archive: bytes, changes: list[tuple[float, bytes, int]]) -> None:
    check(changed(archive, changes))


_NAMES = st.text(st.sampled_from("aA./\\\u00e9\u0301 :\n"), min_size=1, max_size=12)


@settings(max_examples=150)
@given(st.dictionaries(_NAMES, st.binary(max_size=120), max_size=4))
def test_what_comes_out_could_have_been_sent_as_files(files: dict[str, bytes]) -> None:
    check(tar(files))
