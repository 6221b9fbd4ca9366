"""One content that is larger than a part, written as it comes."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

import attrs
import obstore

from chef_supervisor.artifacts.place import Place
from chef_supervisor.artifacts.trouble import told_as_ours
from chef_supervisor.domain.artifact_errors import ArtifactsUnavailable

if TYPE_CHECKING:
    from obstore import AsyncWritableFile

# The smallest part that S3 takes. Source: Amazon S3 User Guide, "Amazon S3 multipart upload limits".
PART_BYTES: Final = 5 << 20
_PARTS_AT_ONCE: Final = 2
_ABORT_TIMEOUT_S: Final = 5.0


@attrs.define(eq=False)
class Upload:
    """
    Its place is known by its digest only when it is whole, so it is written elsewhere and moved there.

    Every call raises ArtifactsUnavailable.
    """

    place: Place
    _key: str = attrs.field(init=False)
    _writer: AsyncWritableFile = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Ask for nothing yet."""
        self._key = self.place.unfinished()
        self._writer = obstore.open_writer_async(
            self.place.store, self._key, buffer_size=PART_BYTES, max_concurrency=_PARTS_AT_ONCE
        )

    async def write(self, part: bytes) -> None:
        """Send the next bytes; returns when there is room for more."""
        async with told_as_ours():
            await self._writer.write(part)

    async def finish(self, sha256: str) -> None:
        """Make it the content of that digest."""
        async with told_as_ours():
            await self._writer.close()
            await obstore.rename_async(self.place.store, self._key, self.place.content(sha256))

    async def abort(self) -> None:
        """Leave nothing behind; where the store is away, what is left goes with the job."""
        with contextlib.suppress(ArtifactsUnavailable):
            async with told_as_ours(_ABORT_TIMEOUT_S):
                # The library aborts where its context is left by an error, and has no other way to.
                await self._writer.__aexit__(ArtifactsUnavailable, None, None)
