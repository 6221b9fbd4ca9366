"""What a workshop does about artifacts: bound what a box hands over, and list only what is kept of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import AbstractAsyncContextManager, nullcontext

import attrs

from chef_supervisor.artifacts.receiver import Receiver
from chef_supervisor.artifacts.store import ArtifactStore
from chef_supervisor.domain.job import JobId
from chef_supervisor.domain.outcome import Artifact, Outcome
from chef_supervisor.domain.work import ArtifactData, BoxEvent, Work


@attrs.frozen
class Keeping:
    """Where artifacts go; without a store nobody asks for any."""

    store: ArtifactStore | None = None

    def receiving(self, job_id: JobId) -> AbstractAsyncContextManager[Receiver | None]:
        """Returns: the receiver of one run, while its boxes are at work."""
        return nullcontext() if self.store is None else self.store.receiving(job_id)

    def bounded(self, work: Work) -> Work:
        """Returns: the work, handing over no more than may be kept."""
        if self.store is None:
            return attrs.evolve(work, artifact_globs=())
        return attrs.evolve(work, max_artifacts=self.store.max_files, artifact_bytes=self.store.max_bytes)

    async def copied(self, source: JobId, target: JobId, artifacts: Collection[Artifact]) -> bool:
        """Returns: whether a job has the contents of another now; none are had where nothing is kept."""
        return not artifacts or (self.store is not None and await self.store.copy(source, target, artifacts))


async def received(events: AsyncIterator[BoxEvent], receiver: Receiver | None) -> AsyncIterator[BoxEvent]:
    """Yield the events of a box; the contents of artifacts are taken on the way, as fast as they can be kept."""
    async for event in events:
        if isinstance(event, ArtifactData) and receiver is not None:
            await receiver.add(event)
        yield event


def with_kept(outcome: Outcome, receiver: Receiver | None) -> Outcome:
    """Returns: the outcome with those artifacts that can be had, and a warning where that is not all."""
    listed = outcome.result.artifacts
    kept = tuple(artifact for artifact in listed if receiver is not None and artifact in receiver.kept)
    trouble = () if receiver is None or receiver.trouble is None else (_warning(len(listed) - len(kept), receiver),)
    result = attrs.evolve(outcome.result, artifacts=kept, warnings=(*outcome.result.warnings, *trouble))
    return attrs.evolve(outcome, result=result)


def _warning(lost: int, receiver: Receiver) -> str:
    return f"{lost} artifacts could not be kept: {receiver.trouble}"
