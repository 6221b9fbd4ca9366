"""The same on S3, as far as the requests go; and what is different there: parts, and a service that may be away."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from chef_supervisor.artifacts.connect import connect
from chef_supervisor.artifacts.store import ArtifactStore
from chef_supervisor.artifacts.upload import PART_BYTES
from chef_supervisor.domain.artifact_errors import ArtifactGone, ArtifactsUnavailable
from chef_supervisor.domain.job import JobId
from tests.kit.artifacts import artifact, artifact_store, content_of, handed_over, keep
from tests.kit.s3_double import S3Double, s3_double

pytestmark = pytest.mark.asyncio

JOB = JobId("builds.0_" + "a" * 26)
OTHER = JobId("tests.0_" + "b" * 26)
LARGE = os.urandom((11 << 20) + 17)
FILES = {"dist/index.html": b"<p>hi", "dist/empty": b"", "dist/large.bin": LARGE} | {
    f"dist/{number}.js": f"{number}".encode() for number in range(100)
}


@pytest_asyncio.fixture
async def s3() -> AsyncIterator[S3Double]:
    async with s3_double() as double:
        yield double


@pytest.fixture
def artifacts(s3: S3Double, monkeypatch: pytest.MonkeyPatch) -> ArtifactStore:
    usual = {"ACCESS_KEY_ID": "key", "SECRET_ACCESS_KEY": "secret", "REGION": "eu-west-1", "ALLOW_HTTP": "true"}
    for name, value in {**usual, "ENDPOINT": s3.url}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    return artifact_store(connect("s3://bucket/chef", Path("unused")))


async def test_what_goes_in_comes_out_and_goes_with_its_job(artifacts: ArtifactStore, s3: S3Double) -> None:
    made = await keep(artifacts, JOB, FILES)

    assert [one.path for one in made] == list(FILES)
    for one in made[:5]:
        assert await content_of(artifacts, JOB, one) == FILES[one.path]
    assert {key.rpartition("/")[0] for key in s3.objects} == {f"chef/realm/{JOB}"}
    assert s3.uploads == {}

    assert await artifacts.copy(JOB, OTHER, made)
    assert sorted(await artifacts.jobs()) == [JOB, OTHER]
    await artifacts.remove(JOB)
    assert await artifacts.jobs() == [OTHER]
    assert await content_of(artifacts, OTHER, made[2]) == LARGE


async def test_a_large_file_goes_in_parts(artifacts: ArtifactStore, s3: S3Double) -> None:
    await keep(artifacts, JOB, {"large": LARGE})

    assert PART_BYTES <= s3.largest_request_bytes < 2 * PART_BYTES
    assert list(s3.objects.values()) == [LARGE]


async def test_an_upload_that_breaks_off_is_taken_back(artifacts: ArtifactStore, s3: S3Double) -> None:
    async with artifacts.receiving(JOB) as receiver:
        for event in list(handed_over("large", LARGE))[:-1]:
            await receiver.add(event)
        assert s3.uploads

    assert s3.uploads == {}
    assert s3.objects == {}


async def test_a_service_that_refuses_loses_artifacts_and_not_the_run(artifacts: ArtifactStore, s3: S3Double) -> None:
    before = artifact("before", b"x" * (6 << 20))
    async with artifacts.receiving(JOB) as receiver:
        for event in handed_over("before", b"x" * (6 << 20)):
            await receiver.add(event)
        s3.failing = True
        for path in ("large", "small"):
            for event in handed_over(path, LARGE if path == "large" else b"y"):
                await receiver.add(event)

    assert receiver.kept == {before}
    assert receiver.trouble is not None
    with pytest.raises(ArtifactsUnavailable):
        await artifacts.open(JOB, before)
    assert not await artifacts.copy(JOB, OTHER, [before])


async def test_what_is_not_there_is_gone(artifacts: ArtifactStore) -> None:
    with pytest.raises(ArtifactGone):
        await artifacts.open(JOB, artifact("a", b"a"))
