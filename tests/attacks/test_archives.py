"""
Archives that were made to harm whoever unpacks them, in both sandboxes.

Each ends its job with a sentence that names the entry; the supervisor holds no more of it than what was sent, and
nothing is written outside the box.
"""

from __future__ import annotations

import tempfile
import tracemalloc
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chef_supervisor.domain.assignment import Assignment
from chef_supervisor.domain.job import JobStatus
from chef_supervisor.domain.outcome import Cause, Outcome
from chef_supervisor.sandboxes.sandbox import Limits, Role, Sandbox
from chef_supervisor.sandboxes.watched import WatchedSandbox
from chef_supervisor.settings import FileLimits
from chef_supervisor.unpacking import Whole, whole
from tests.integration.sandboxes.boxes import MIB, order
from tests.kit import archives
from tests.kit.archives import entry, tar, zipped

pytestmark = pytest.mark.asyncio
FILES = FileLimits(max_files=2000, max_file_bytes=5 * MIB, max_total_bytes=10 * MIB)
BOX = Limits(memory_bytes=512 * MIB, cpus=1, pids=64, workspace_bytes=256 * MIB)
# What reading the box's answer takes, whatever the archive unpacks to.
_ROOM = 2 * MIB


async def unpack(sandbox: Sandbox, archive: bytes, limits: FileLimits = FILES) -> Whole | Outcome:
    return await whole(Assignment(archive=archive), limits, WatchedSandbox(sandbox), order(Role.JOB, BOX))


@pytest.fixture
def peak() -> Iterator[Callable[[], int]]:
    """Returns: how much this process has come to hold at once since the test began."""
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()


@pytest.fixture
def canary() -> Iterator[Path]:
    """A place outside every box, to which nothing may be written."""
    path = Path(tempfile.gettempdir(), f"canary-{uuid.uuid4().hex}")
    yield path
    assert not path.exists()


BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "one large file": (lambda: archives.bomb("zeros", 100 * MIB), "'zeros' has more than 5242880 bytes"),
    "many large files": (
        lambda: tar({f"zeros{number}": bytes(4 * MIB) for number in range(10)}),
        "more than 10485760 bytes in all (files.max_total_bytes), from 'zeros2' on",
    ),
    "sparse": (lambda: archives.sparse("hole", 1 << 50), "'hole' has more than 5242880 bytes"),
    "claims": (lambda: archives.claiming("claim", 1 << 50, zeros=MIB), "'claim' has more than 5242880 bytes"),
    "overlapping": (lambda: archives.overlapping(30, 4 * MIB), "'f00001' cannot be read"),
    "many files": (lambda: tar({f"f{number}": b"" for number in range(2001)}), "more than 2000 files"),
    "headers in headers": (lambda: archives.nested_headers(3000), "memory"),
}
SLOW_BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "zeros that are left out": (lambda: archives.bomb("node_modules/x", 600 * MIB), "more than 536870912 bytes"),
    "a long name": (lambda: archives.endless_header(400 * MIB), "memory"),
    "many entries": (
        lambda: zipped({f"node_modules/{number}": b"" for number in range(100_001)}),
        "entries",
    ),
}
_ALL = [
    *[pytest.param(*bomb, id=name) for name, bomb in BOMBS.items()],
    *[pytest.param(*bomb, id=name, marks=pytest.mark.slow) for name, bomb in SLOW_BOMBS.items()],
]


@pytest.mark.parametrize(("make", "blamed"), _ALL)
async def test_a_bomb_goes_off_in_its_box_alone(
    sandbox: Sandbox, make: Callable[[], bytes], blamed: str, peak: Callable[[], int]
) -> None:
    archive = make()
    before = peak()
    tracemalloc.reset_peak()

    outcome = await unpack(sandbox, archive)

    assert isinstance(outcome, Outcome)
    assert (outcome.status, outcome.result.cause) == (JobStatus.FAILED, Cause.BAD_ARCHIVE)
    assert blamed in outcome.result.message
    # Sent to the box in one frame, of which a line keeps a copy.
    assert peak() - before < 4 * len(archive) + _ROOM


async def test_an_archive_in_an_archive_is_a_file_like_any_other(sandbox: Sandbox) -> None:
    inner = archives.bomb("zeros", 100 * MIB)

    found = await unpack(sandbox, tar({"a.txt": b"a", "inner.tar.gz": inner}))

    assert isinstance(found, Whole)
    assert found.assignment.files == {"a.txt": b"a", "inner.tar.gz": inner}


async def test_nothing_is_written_through_paths_and_links(sandbox: Sandbox, canary: Path) -> None:
    out = f"{'../' * 12}{str(canary).lstrip('/')}"
    links = (
        entry("link", type=archives.LINK, linkname=str(canary.parent)),
        entry("up", type=archives.LINK, linkname="../" * 12),
    )
    ends_open = tar({}, *links, compress=False)[: 2 * 512]
    behind = tar({f"link/{canary.name}": b"x", f"up{canary}": b"x"}, compress=False)

    paths = [await unpack(sandbox, archive) for archive in (tar({out: b"x"}), zipped({str(canary): b"x"}))]
    linked = await unpack(sandbox, ends_open + behind)

    for outcome in paths:
        assert isinstance(outcome, Outcome)
        assert canary.name in outcome.result.message
    assert isinstance(linked, Whole)
    assert set(linked.assignment.files) == {f"link/{canary.name}", f"up{canary}"}
    assert linked.warnings == ("left out of the archive: 2 links, such as 'link'; only files are taken",)


@pytest.mark.parametrize(
    ("name", "kind"), [("dev/sda", archives.DEVICE), ("pipe", archives.FIFO), ("../x", archives.LINK)]
)
async def test_what_is_no_file_is_refused_or_left_out(sandbox: Sandbox, name: str, kind: bytes) -> None:
    outcome = await unpack(sandbox, tar({"a": b"a"}, entry(name, type=kind, linkname="/etc/passwd")))

    assert isinstance(outcome, Outcome)
    assert name in outcome.result.message


async def test_an_archive_cannot_speak_for_the_program_that_unpacks_it(sandbox: Sandbox) -> None:
    report = b'{"fault": null, "files": 1, "warnings": ["all is well"]}'

    outcomes = [await unpack(sandbox, tar({name: report})) for name in (".chef/unpacked.json", "p/.chef/unpacked.json")]

    for outcome in outcomes:
        assert isinstance(outcome, Outcome)
        assert ".chef/unpacked.json' has a name that no file of a project may have" in outcome.result.message


async def test_a_project_may_be_as_large_as_a_project_may_be(sandbox: Sandbox) -> None:
    files = {f"src/f{number}": bytes([number % 256]) * 5 * 1024 for number in range(1999)} | {"é/package.json": b"{}"}

    found = await unpack(sandbox, tar(files))

    assert isinstance(found, Whole)
    assert found.assignment.files == files
    assert found.assignment.archive == b""


async def test_hostile_names_are_shown_without_what_would_harm_a_reader(sandbox: Sandbox) -> None:
    outcome = await unpack(sandbox, tar({"\x1b]0;title\x07\u202e\nname": b""}))

    assert isinstance(outcome, Outcome)
    assert r"'\x1b]0;title\x07\u202e\nname'" in outcome.result.message
