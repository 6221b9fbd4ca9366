"""One archive of all artifacts: what tar reads from it is what went in, and it is always the same."""

from __future__ import annotations

import asyncio
import io
import os
import subprocess
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chef_supervisor.artifacts.archive import tar_gz
from chef_supervisor.artifacts.content import Content
from chef_supervisor.domain.outcome import Artifact
from tests.kit.artifacts import artifact

FILES = {
    "dist/index.html": b"<p>",
    "dist/empty": b"",
    "dist/exactly-a-block": bytes(512),
    "dist/large.bin": os.urandom(300_001),
    "dist/" + "deep/" * 14 + "n" * 200: b"long",
    "caf\u00e9 \U0001f600.txt": b"unicode",
}


async def opened(one: Artifact) -> Content:
    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, one.bytes, 1 << 16):
            yield FILES[one.path][start : start + (1 << 16)]

    return Content(size_bytes=one.bytes, chunks=chunks())


async def packed() -> bytes:
    made = [artifact(path, content) for path, content in FILES.items()]
    return b"".join([piece async for piece in tar_gz(made, opened)])


@pytest.mark.asyncio
async def test_what_went_in_comes_out_in_order() -> None:
    with tarfile.open(fileobj=io.BytesIO(await packed()), mode="r:gz") as archive:
        members = archive.getmembers()
        contents = {member.name: archive.extractfile(member) for member in members}

    assert [member.name for member in members] == list(FILES)
    assert all(member.isreg() and member.mode == 0o644 and member.mtime == member.uid == 0 for member in members)
    assert set(contents) == set(FILES)


def test_tar_of_the_system_unpacks_it(tmp_path: Path) -> None:
    (tmp_path / "all.tar.gz").write_bytes(asyncio.run(packed()))

    subprocess.run(["tar", "-xzf", "all.tar.gz"], cwd=tmp_path, check=True, env={**os.environ, "LC_ALL": "C.UTF-8"})

    assert {path: (tmp_path / path).read_bytes() for path in FILES} == FILES


@pytest.mark.asyncio
async def test_the_same_artifacts_are_the_same_bytes() -> None:
    assert await packed() == await packed()


@pytest.mark.asyncio
async def test_no_artifacts_are_an_empty_archive() -> None:
    content = b"".join([piece async for piece in tar_gz([], opened)])

    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        assert archive.getmembers() == []
