"""The store of artifacts: what runs hand over goes in, what results list comes out, and goes when its job does."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs
import obstore
from obstore.store import LocalStore

from chef_supervisor.artifacts.content import ByteRange, Content, open_content
from chef_supervisor.artifacts.place import Place
from chef_supervisor.artifacts.receiver import Receiver
from chef_supervisor.artifacts.trouble import told_as_ours
from chef_supervisor.domain.artifact_errors import ArtifactsUnavailable
from chef_supervisor.domain.errors import StoreUnavailable, UnknownJob
from chef_supervisor.domain.job import JobId, queue_of
from chef_supervisor.domain.outcome import Artifact

if TYPE_CHECKING:
    from obstore.store import ObjectStore

# To list or remove what may be thousands of objects.
_MANY_TIMEOUT_S: Final = 60.0
_COPIES_AT_ONCE: Final = 32


@attrs.define(eq=False, kw_only=True)
class ArtifactStore:
    """
    One for the process, safe for concurrent use.

    `identity`: asks the job store for the name of its data, below which everything lies; the last answer stands while
    there is no other. `max_bytes`, `max_files`: what one box may hand over.
    """

    objects: ObjectStore
    identity: Callable[[], Awaitable[str]]
    max_bytes: int
    max_files: int
    # Written by _realm() only.
    _last_realm: str = attrs.field(default="", init=False)

    @asynccontextmanager
    async def receiving(self, job_id: JobId) -> AsyncIterator[Receiver]:
        """
        Take what the boxes of one run hand over. Nothing is raised where it cannot be kept: `trouble` says so.

        What `kept` names when the context is left is in the store. A context that is left by an error leaves at most
        whole contents behind; they are never listed, and go with the job.
        """
        receiver = Receiver(job_id, partial(self._place, job_id))
        try:
            yield receiver
            await receiver.finish()
        finally:
            await receiver.drop_unfinished()

    async def open(self, job_id: JobId, artifact: Artifact, wanted: ByteRange | None = None) -> Content:
        """
        Read what the job's result lists, or that range of it.

        Raises:
            ArtifactGone: it is not there any more.
            ArtifactsUnavailable: the store does not answer.
            StoreUnavailable: the job store does not, and never did.
        """
        return await open_content(await self._place(job_id), artifact, wanted)

    async def copy(self, source: JobId, target: JobId, artifacts: Collection[Artifact]) -> bool:
        """
        Give a job the contents that another one has.

        Returns: whether all are there now; False where one is gone, or the store does not answer.
        """
        contents = sorted({artifact.sha256 for artifact in artifacts})
        try:
            here, there = await self._place(source), await self._place(target)
            for start in range(0, len(contents), _COPIES_AT_ONCE):
                if not await self._copy(here, there, contents[start : start + _COPIES_AT_ONCE]):
                    return False
        except StoreUnavailable:
            return False
        return True

    async def jobs(self) -> list[JobId]:
        """
        Returns: the jobs that have something here, of this data alone.

        Raises:
            ArtifactsUnavailable: the store does not answer.
            StoreUnavailable: the job store does not, and never did.
        """
        realm = await self._realm()
        async with told_as_ours(_MANY_TIMEOUT_S):
            listed = await obstore.list_with_delimiter_async(self.objects, realm)
        names = [prefix.rpartition("/")[2] for prefix in listed["common_prefixes"]]
        return [JobId(name) for name in names if _is_job(name)]

    async def remove(self, job_id: JobId) -> None:
        """
        Forget all of a job; nothing happens where there is nothing.

        Raises:
            ArtifactsUnavailable: some may still be there.
            StoreUnavailable: the job store does not answer, and never did.
        """
        place = await self._place(job_id)
        async with told_as_ours(_MANY_TIMEOUT_S):
            if isinstance(self.objects, LocalStore) and self.objects.prefix is not None:
                # With what a process that was killed left half-written, which no listing shows.
                await asyncio.to_thread(_remove_folder, Path(self.objects.prefix) / place.folder)
                return
            async for objects in obstore.list(self.objects, place.folder):
                await obstore.delete_async(self.objects, [found["path"] for found in objects])

    async def _copy(self, here: Place, there: Place, contents: Collection[str]) -> bool:
        async with asyncio.TaskGroup() as group:
            copies = [group.create_task(self._copy_one(here.content(one), there.content(one))) for one in contents]
        return all(copy.result() for copy in copies)

    async def _copy_one(self, source: str, target: str) -> bool:
        try:
            async with told_as_ours():
                await obstore.copy_async(self.objects, source, target)
        except ArtifactsUnavailable:
            return False
        return True

    async def _place(self, job_id: JobId) -> Place:
        return Place(store=self.objects, realm=await self._realm(), job_id=job_id)

    async def _realm(self) -> str:
        try:
            self._last_realm = await self.identity()
        except StoreUnavailable:
            if not self._last_realm:
                raise
        return self._last_realm


def _is_job(name: str) -> bool:
    try:
        queue_of(name)
    except UnknownJob:
        return False
    return True


def _remove_folder(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        # Another supervisor removes the same.
        shutil.rmtree(folder, ignore_errors=True)
