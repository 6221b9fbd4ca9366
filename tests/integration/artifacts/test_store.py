"""What is handed over is there, byte for byte, as long as its job is; and nothing of anybody else's."""

from __future__ import annotations

import asyncio
import os
import resource
from pathlib import Path

import obstore
import pytest

from chef_supervisor.artifacts.connect import connect
from chef_supervisor.artifacts.content import ByteRange
from chef_supervisor.artifacts.store import ArtifactStore
from chef_supervisor.domain.artifact_errors import ArtifactGone, ArtifactsUnavailable
from chef_supervisor.domain.errors import StoreUnavailable
from chef_supervisor.domain.job import JobId
from chef_supervisor.domain.work import ArtifactData
from tests.kit.artifacts import artifact, artifact_store, content_of, handed_over, keep

pytestmark = pytest.mark.asyncio

JOB = JobId("builds.0_" + "a" * 26)
OTHER = JobId("tests.0_" + "b" * 26)
# Larger than two parts, and no multiple of anything.
LARGE = os.urandom((11 << 20) + 17)
FILES = {"dist/index.html": b"<p>hi", "dist/empty.txt": b"", "dist/large.bin": LARGE, "dist/copy.html": b"<p>hi"}


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def names(artifacts: ArtifactStore) -> list[str]:
    batches = [batch async for batch in obstore.list(artifacts.objects)]
    return [found["path"] for batch in batches for found in batch]


async def test_every_content_comes_back_as_it_was(artifacts: ArtifactStore) -> None:
    made = await keep(artifacts, JOB, FILES)

    assert [one.path for one in made] == list(FILES)
    for one in made:
        assert await content_of(artifacts, JOB, one) == FILES[one.path]


@pytest.mark.parametrize(("start", "end"), [(0, 1), (1, 7), (2 << 20, (2 << 20) + 1), (5, len(LARGE)), (0, len(LARGE))])
async def test_a_range_is_those_bytes(artifacts: ArtifactStore, start: int, end: int) -> None:
    [made] = await keep(artifacts, JOB, {"large": LARGE})

    content = await artifacts.open(JOB, made, ByteRange(start=start, end=end))

    assert content.size_bytes == end - start
    assert b"".join([chunk async for chunk in content.chunks]) == LARGE[start:end]


async def test_no_path_of_a_project_is_a_name_in_the_store(artifacts: ArtifactStore) -> None:
    hostile = {
        "../../etc/passwd": b"1",
        "/abs": b"2",
        "a/b": b"3",
        "a": b"4",
        "x" * 500: b"5",
        "\u202e": b"6",
        "%2e%2e": b"7",
    }

    made = await keep(artifacts, JOB, hostile)

    assert sorted(await names(artifacts)) == sorted(f"realm/{JOB}/{one.sha256}" for one in made)
    assert len(made) == len(hostile)


async def test_a_second_run_of_a_job_takes_nothing_from_the_first(artifacts: ArtifactStore) -> None:
    [first] = await keep(artifacts, JOB, {"a.txt": b"first"})
    [second] = await keep(artifacts, JOB, {"a.txt": b"second"})

    assert await content_of(artifacts, JOB, first) == b"first"
    assert await content_of(artifacts, JOB, second) == b"second"


async def test_what_did_not_come_whole_leaves_nothing(artifacts: ArtifactStore) -> None:
    async with artifacts.receiving(JOB) as receiver:
        for event in list(handed_over("large", LARGE))[:-1]:
            await receiver.add(event)

    assert receiver.kept == set()
    assert await names(artifacts) == []


async def test_a_file_that_breaks_off_for_another_leaves_nothing_of_itself(artifacts: ArtifactStore) -> None:
    async with artifacts.receiving(JOB) as receiver:
        for event in [*list(handed_over("large", LARGE))[:-1], *handed_over("a", b"a")]:
            await receiver.add(event)

    assert receiver.kept == {artifact("a", b"a")}
    assert await content_of(artifacts, JOB, artifact("a", b"a")) == b"a"
    assert await names(artifacts) == [f"realm/{JOB}/{artifact('a', b'a').sha256}"]


async def test_a_run_that_is_cancelled_leaves_nothing_half_written(artifacts: ArtifactStore, tmp_path: Path) -> None:
    begun = asyncio.Event()

    async def receive() -> None:
        async with artifacts.receiving(JOB) as receiver:
            for event in list(handed_over("large", LARGE))[:-1]:
                await receiver.add(event)
            begun.set()
            await asyncio.Event().wait()

    run = asyncio.ensure_future(receive())
    await begun.wait()
    run.cancel()
    await asyncio.wait({run})

    assert run.cancelled()
    assert files_in(tmp_path) == []
    assert await names(artifacts) == []


async def test_an_artifact_that_is_gone_or_cut_is_told_to_be_gone(artifacts: ArtifactStore) -> None:
    [made] = await keep(artifacts, JOB, {"a.txt": b"whole"})

    with pytest.raises(ArtifactGone):
        await artifacts.open(OTHER, made)
    with pytest.raises(ArtifactGone):
        await artifacts.open(JOB, artifact("a.txt", b"never made"))
    await obstore.put_async(artifacts.objects, f"realm/{JOB}/{made.sha256}", b"who")
    with pytest.raises(ArtifactGone):
        await artifacts.open(JOB, made)


async def test_a_removal_in_the_middle_of_reading_is_told(artifacts: ArtifactStore) -> None:
    [made] = await keep(artifacts, JOB, {"large": LARGE})
    content = await artifacts.open(JOB, made)
    await anext(content.chunks)

    await artifacts.remove(JOB)

    with pytest.raises(ArtifactGone):
        [chunk async for chunk in content.chunks]


async def test_a_copy_outlives_its_source(artifacts: ArtifactStore) -> None:
    made = await keep(artifacts, JOB, FILES)

    assert await artifacts.copy(JOB, OTHER, made)
    await artifacts.remove(JOB)

    for one in made:
        assert await content_of(artifacts, OTHER, one) == FILES[one.path]
    assert not await artifacts.copy(JOB, OTHER, made)


async def test_jobs_are_listed_and_removed_one_by_one(artifacts: ArtifactStore) -> None:
    await keep(artifacts, JOB, FILES)
    [made] = await keep(artifacts, OTHER, {"a": b"a"})
    await obstore.put_async(artifacts.objects, "realm/notes/mine.txt", b"somebody put it there")

    assert sorted(await artifacts.jobs()) == [JOB, OTHER]
    await artifacts.remove(JOB)
    await artifacts.remove(JOB)

    assert await artifacts.jobs() == [OTHER]
    assert await content_of(artifacts, OTHER, made) == b"a"
    assert "realm/notes/mine.txt" in await names(artifacts)


async def test_deployments_that_share_a_store_do_not_see_each_other(artifacts: ArtifactStore) -> None:
    [made] = await keep(artifacts, JOB, {"a": b"a"})
    neighbour = artifact_store(artifacts.objects, realm="neighbour")

    assert await neighbour.jobs() == []
    await neighbour.remove(JOB)
    with pytest.raises(ArtifactGone):
        await neighbour.open(JOB, made)
    assert await content_of(artifacts, JOB, made) == b"a"


async def test_half_written_files_of_a_killed_process_go_with_their_job(tmp_path: Path) -> None:
    artifacts = artifact_store(connect("", tmp_path))
    await keep(artifacts, JOB, {"a": b"a"})
    (tmp_path / "realm" / JOB / "unfinished-00#1").write_bytes(b"half")

    await artifacts.remove(JOB)

    assert await artifacts.jobs() == []
    assert not (tmp_path / "realm" / JOB).exists()


async def test_a_full_disk_ends_the_keeping_and_not_the_run(tmp_path: Path) -> None:
    artifacts = artifact_store(connect("", tmp_path))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    async with artifacts.receiving(JOB) as receiver:
        for event in handed_over("small", b"x" * 100):
            await receiver.add(event)
        # As on a disk that is full: files cannot grow beyond that.
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
        try:
            for event in [*handed_over("large", LARGE), *handed_over("after", b"y")]:
                await receiver.add(event)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert receiver.trouble is not None
    assert receiver.kept == set()


async def test_a_folder_that_cannot_be_written_is_trouble_and_no_error(tmp_path: Path) -> None:
    artifacts = artifact_store(connect("", tmp_path / "artifacts"))
    (tmp_path / "artifacts" / "realm").write_text("a file where a folder should be")

    async with artifacts.receiving(JOB) as receiver:
        for event in handed_over("a", b"a"):
            await receiver.add(event)

    assert receiver.trouble is not None
    assert "\n" not in receiver.trouble
    assert receiver.kept == set()
    with pytest.raises(ArtifactsUnavailable):
        await artifacts.open(JOB, artifact("a", b"a"))


async def test_the_last_known_name_of_the_data_stands_while_redis_is_away(artifacts: ArtifactStore) -> None:
    async def away() -> str:
        raise StoreUnavailable("made to fail")

    [made] = await keep(artifacts, JOB, {"a": b"a"})
    artifacts.identity = away
    assert await content_of(artifacts, JOB, made) == b"a"

    stranger = ArtifactStore(objects=artifacts.objects, identity=away, max_bytes=1, max_files=1)
    async with stranger.receiving(JOB) as receiver:
        await receiver.add(ArtifactData(path="b", chunk=b"", whole=artifact("b", b"")))
    assert receiver.trouble is not None
    assert receiver.kept == set()
    with pytest.raises(StoreUnavailable):
        await stranger.open(JOB, made)
