"""Artifacts as a box hands them over, and a store of them."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from obstore.store import MemoryStore

from chef_supervisor.artifacts.place import Place
from chef_supervisor.artifacts.store import ArtifactStore
from chef_supervisor.domain.job import JobId
from chef_supervisor.domain.outcome import Artifact
from chef_supervisor.domain.work import ArtifactData

if TYPE_CHECKING:
    from obstore.store import ObjectStore

CHUNK_BYTES = 1 << 18


def artifact(path: str, content: bytes) -> Artifact:
    return Artifact(path=path, bytes=len(content), sha256=hashlib.sha256(content).hexdigest())


def handed_over(path: str, content: bytes) -> Iterator[ArtifactData]:
    """Yields: the events of one artifact, an empty one first, as a box tells them."""
    yield ArtifactData(path=path, chunk=b"", whole=None if content else artifact(path, b""))
    for start in range(0, len(content), CHUNK_BYTES):
        chunk = content[start : start + CHUNK_BYTES]
        is_last = start + len(chunk) == len(content)
        yield ArtifactData(path=path, chunk=chunk, whole=artifact(path, content) if is_last else None)


def artifact_store(objects: ObjectStore | None = None, realm: str = "realm") -> ArtifactStore:
    async def identity() -> str:
        return realm

    return ArtifactStore(objects=objects or MemoryStore(), identity=identity, max_bytes=1 << 26, max_files=2000)


def at_once(place: Place) -> Callable[[], Awaitable[Place]]:
    """Returns: what finds that place without asking anybody."""

    async def found() -> Place:
        return place

    return found


async def keep(store: ArtifactStore, job_id: JobId, files: Mapping[str, bytes]) -> tuple[Artifact, ...]:
    """Hand these over as one run would. Returns: what was kept, in that order."""
    async with store.receiving(job_id) as receiver:
        for path, content in files.items():
            for event in handed_over(path, content):
                await receiver.add(event)
    assert receiver.trouble is None
    return tuple(made for made in (artifact(*file) for file in files.items()) if made in receiver.kept)


async def content_of(store: ArtifactStore, job_id: JobId, made: Artifact) -> bytes:
    content = await store.open(job_id, made)
    return b"".join([chunk async for chunk in content.chunks])
