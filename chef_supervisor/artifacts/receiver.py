"""Takes the artifacts of one run as its boxes hand them over, and keeps them part by part."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, ParamSpec

import attrs

from chef_supervisor.artifacts.batch import Batch
from chef_supervisor.artifacts.place import Place
from chef_supervisor.artifacts.upload import PART_BYTES, Upload
from chef_supervisor.domain.artifact_errors import ArtifactsUnavailable
from chef_supervisor.domain.errors import StoreUnavailable
from chef_supervisor.domain.job import JobId
from chef_supervisor.domain.outcome import Artifact
from chef_supervisor.domain.work import ArtifactData

P = ParamSpec("P")
log = logging.getLogger("chef.artifacts")
_MOST_S: Final = 120.0


@attrs.define(eq=False)
class Receiver:
    """
    Holds a few parts in memory and never more; `add` returns when there is room for the next.

    `trouble`: the first failure of the store, after which all else is let pass. `kept`: the artifacts whose whole
    content is in the store; complete once the receiver was left.
    """

    job_id: JobId
    # Asked when there is something to place: most jobs hand over nothing, and the answer is a round trip to Redis.
    find_place: Callable[[], Awaitable[Place]]
    trouble: str | None = attrs.field(default=None, init=False)
    kept: set[Artifact] = attrs.field(factory=set, init=False)
    _place: Place | None = attrs.field(default=None, init=False)
    _batch: Batch | None = attrs.field(default=None, init=False)
    # Of the artifact that is under way.
    _path: str | None = attrs.field(default=None, init=False)
    _unwritten: bytearray = attrs.field(factory=bytearray, init=False)
    _upload: Upload | None = attrs.field(default=None, init=False)
    # A store that is slow must not keep a slot for long.
    _left_s: float = attrs.field(default=_MOST_S, init=False)

    async def add(self, event: ArtifactData) -> None:
        """Take the next bytes of an artifact."""
        await self._unless_trouble(self._take, event)

    async def finish(self) -> None:
        """Write what is whole, and drop what is not."""
        await self.drop_unfinished()
        await self._unless_trouble(self._put_batch)

    async def give_up(self, error: ArtifactsUnavailable) -> None:
        """Keep no more than there is."""
        self.trouble = str(error)
        await self.drop_unfinished()
        extra = {"event": "artifacts.lost", "job_id": self.job_id}
        log.warning("artifacts of job %s are not kept: %s", self.job_id, error, extra=extra)

    async def drop_unfinished(self) -> None:
        """Leave nothing behind of an artifact that did not come whole."""
        self._path = None
        self._unwritten.clear()
        upload, self._upload = self._upload, None
        if upload is not None:
            await upload.abort()

    async def _unless_trouble(self, work: Callable[P, Awaitable[None]], *args: P.args, **kwargs: P.kwargs) -> None:
        if self.trouble is not None:
            return
        try:
            async with self._within_time():
                await work(*args, **kwargs)
        except ArtifactsUnavailable as error:
            await self.give_up(error)

    @asynccontextmanager
    async def _within_time(self) -> AsyncIterator[None]:
        started_at = _now_s()
        try:
            async with asyncio.timeout(self._left_s):
                yield
        except TimeoutError as error:
            raise ArtifactsUnavailable(f"it took longer than {_MOST_S:g} s in all") from error
        finally:
            self._left_s -= _now_s() - started_at

    async def _take(self, event: ArtifactData) -> None:
        if event.path != self._path:
            await self.drop_unfinished()
            self._path = event.path
        self._unwritten += event.chunk
        if event.whole is not None:
            await self._complete(event.whole)
        elif len(self._unwritten) >= PART_BYTES:
            await self._write_part()

    async def _write_part(self) -> None:
        self._upload = self._upload or Upload(await self._found_place())
        await self._upload.write(self._rest())

    async def _complete(self, artifact: Artifact) -> None:
        self._path = None
        if self._upload is None:
            await self._hold(artifact, self._rest())
            return
        await self._write_part()
        await self._upload.finish(artifact.sha256)
        self._upload = None
        self.kept.add(artifact)

    async def _hold(self, artifact: Artifact, content: bytes) -> None:
        if self._batch is None:
            self._batch = Batch(await self._found_place())
        if not self._batch.has_room(content):
            await self._put_batch()
        self._batch.take(artifact, content)

    async def _found_place(self) -> Place:
        if self._place is None:
            try:
                self._place = await self.find_place()
            except StoreUnavailable as error:
                raise ArtifactsUnavailable(str(error)) from error
        return self._place

    async def _put_batch(self) -> None:
        if self._batch is None:
            return
        there, failure = await self._batch.put()
        self.kept |= there
        if failure is not None:
            raise failure

    def _rest(self) -> bytes:
        rest = bytes(self._unwritten)
        self._unwritten.clear()
        return rest


def _now_s() -> float:
    return asyncio.get_running_loop().time()
