"""All artifacts of a job as one tar.gz, made as it is read: the same artifacts are the same bytes, always."""

from __future__ import annotations

import asyncio
import tarfile
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Final

from chef_supervisor.artifacts.content import Content
from chef_supervisor.domain.outcome import Artifact

# With the header and trailer of gzip, where the time and the name of the file are left out.
_GZIP: Final = 31
_MODE: Final = 0o644
# Compressing more than that would hold up whoever else waits for the loop.
_QUICK_BYTES: Final = 4096


async def tar_gz(
    artifacts: Iterable[Artifact], open_one: Callable[[Artifact], Awaitable[Content]]
) -> AsyncIterator[bytes]:
    """
    Yield the archive, a few kB at a time; nothing is read ahead.

    Raises:
        ArtifactGone: by `open_one`, where one is not kept any more; what was yielded is no whole archive then.
        ArtifactsUnavailable: in the same way, where the store does not answer.
    """
    packer = zlib.compressobj(wbits=_GZIP)
    async for piece in _tar(artifacts, open_one):
        quick = len(piece) <= _QUICK_BYTES
        if packed := packer.compress(piece) if quick else await asyncio.to_thread(packer.compress, piece):
            yield packed
    yield packer.flush()


async def _tar(
    artifacts: Iterable[Artifact], open_one: Callable[[Artifact], Awaitable[Content]]
) -> AsyncIterator[bytes]:
    for artifact in artifacts:
        content = await open_one(artifact)
        yield _head(artifact)
        async for chunk in content.chunks:
            yield chunk
        yield bytes(-artifact.bytes % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _head(artifact: Artifact) -> bytes:
    member = tarfile.TarInfo(artifact.path)
    member.size, member.mode = artifact.bytes, _MODE
    return member.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")
