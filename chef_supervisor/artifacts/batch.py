"""Small contents that are put together: each would wait for a round trip."""

from __future__ import annotations

import asyncio
from typing import Final

import attrs
import obstore

from chef_supervisor.artifacts.place import Place
from chef_supervisor.artifacts.trouble import told_as_ours
from chef_supervisor.artifacts.upload import PART_BYTES
from chef_supervisor.domain.artifact_errors import ArtifactsUnavailable
from chef_supervisor.domain.outcome import Artifact

_FILES_AT_ONCE: Final = 32


@attrs.define(eq=False)
class Batch:
    """Holds so many files, or as many bytes as a part has."""

    place: Place
    _files: list[tuple[Artifact, bytes]] = attrs.field(factory=list, init=False)
    _bytes: int = attrs.field(default=0, init=False)

    def has_room(self, content: bytes) -> bool:
        """Returns: whether it can be taken before `put`; an empty batch takes any."""
        full = len(self._files) >= _FILES_AT_ONCE or self._bytes + len(content) > PART_BYTES
        return not (self._files and full)

    def take(self, artifact: Artifact, content: bytes) -> None:
        """Hold it until `put`."""
        self._files.append((artifact, content))
        self._bytes += len(content)

    async def put(self) -> tuple[set[Artifact], ArtifactsUnavailable | None]:
        """Write all, at once. Returns: those that are there now, and why the others are not."""
        files, self._files, self._bytes = self._files, [], 0
        contents = {artifact.sha256: content for artifact, content in files}
        async with asyncio.TaskGroup() as group:
            puts = {sha256: group.create_task(self._put(sha256, content)) for sha256, content in contents.items()}
        failures = {sha256: put.result() for sha256, put in puts.items()}
        there = {artifact for artifact, _ in files if failures[artifact.sha256] is None}
        return there, next(filter(None, failures.values()), None)

    async def _put(self, sha256: str, content: bytes) -> ArtifactsUnavailable | None:
        try:
            async with told_as_ours():
                await obstore.put_async(self.place.store, self.place.content(sha256), content, use_multipart=False)
        except ArtifactsUnavailable as error:
            return error
        return None
