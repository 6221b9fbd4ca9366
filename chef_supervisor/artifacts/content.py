"""A content that is being read, block by block."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

import attrs
import obstore

from chef_supervisor.artifacts.place import Place
from chef_supervisor.artifacts.trouble import told_as_ours
from chef_supervisor.domain.artifact_errors import ArtifactGone
from chef_supervisor.domain.outcome import Artifact

# Each block is a request of its own: a reader may take its time, and no request of a store may.
_BLOCK_BYTES: Final = 2 << 20
_CHUNK_BYTES: Final = 64 << 10


@attrs.frozen(kw_only=True)
class ByteRange:
    """The bytes from `start` up to and not including `end`."""

    start: int
    end: int

    @property
    def size_bytes(self) -> int:
        """How many they are."""
        return self.end - self.start


@attrs.frozen(kw_only=True)
class Content:
    """
    So many bytes of an artifact, from `chunks`, which can be read once.

    `chunks` raises ArtifactGone or ArtifactsUnavailable where the store fails on the way.
    """

    size_bytes: int
    chunks: AsyncIterator[bytes] = attrs.field(repr=False)


async def open_content(place: Place, artifact: Artifact, wanted: ByteRange | None) -> Content:
    """
    Read the first block of it, or of that range of it.

    Raises:
        ArtifactGone: the store does not have it, or not all of it.
        ArtifactsUnavailable: the store does not answer.
    """
    asked = wanted or ByteRange(start=0, end=artifact.bytes)
    first = await _read(place, artifact, _block(asked.start, asked.end))
    return Content(size_bytes=asked.size_bytes, chunks=_chunks(place, artifact, asked, first))


def _block(start: int, end: int) -> ByteRange:
    return ByteRange(start=start, end=min(end, start + _BLOCK_BYTES))


async def _chunks(place: Place, artifact: Artifact, asked: ByteRange, block: bytes) -> AsyncIterator[bytes]:
    at = asked.start
    while True:
        for start in range(0, len(block), _CHUNK_BYTES):
            yield block[start : start + _CHUNK_BYTES]
        at += len(block)
        if at >= asked.end:
            return
        block = await _read(place, artifact, _block(at, asked.end))


async def _read(place: Place, artifact: Artifact, block: ByteRange) -> bytes:
    async with told_as_ours():
        try:
            found = await _get(place, artifact, block)
        except FileNotFoundError as error:
            raise ArtifactGone(place.job_id, artifact.path) from error
        if found.meta["size"] != artifact.bytes:
            raise ArtifactGone(place.job_id, artifact.path)
        return bytes(await found.bytes_async())


async def _get(place: Place, artifact: Artifact, block: ByteRange) -> obstore.GetResult:
    key = place.content(artifact.sha256)
    # A range of no bytes is refused.
    if not block.size_bytes:
        return await obstore.get_async(place.store, key)
    return await obstore.get_async(place.store, key, options={"range": (block.start, block.end)})
