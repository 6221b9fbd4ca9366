"""What a box says, with something taken out of it: secrets, or the name of the place of its dependencies."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from typing import Final, Protocol

import attrs

from chef_supervisor.domain.outcome import Artifact
from chef_supervisor.domain.work import (
    ArtifactData,
    BoxEnded,
    BoxEvent,
    LiveOutput,
    ReportFile,
    StepEnded,
    StepOutput,
    StepTail,
)

# A job may bring many secrets; to look for all of them in more than this would hold up the event loop.
_QUICK_BYTES: Final = 4096


class Scrubs(Protocol):
    """Takes values out of bytes; see `sealing.Scrubber`."""

    def scrub(self, content: bytes) -> bytes:
        """Returns: the content without them."""

    def scrub_cut(self, content: bytes) -> bytes:
        """Returns: the same for content that was cut out of more."""

    def split(self, content: bytes) -> tuple[bytes, bytes]:
        """Returns: the part that is safe to tell, and the rest, to be put before what follows."""


async def scrubbed(events: AsyncIterator[BoxEvent], scrubber: Scrubs) -> AsyncIterator[BoxEvent]:
    """
    Yield the events without secrets, wherever the chunks are cut.

    What a step prints between its first and last bytes is not told live; artifacts come in one piece, with the digest
    of what is left of them.
    """
    scrubbing = _Scrubbing(scrubber)
    async for event in events:
        heavy = scrubbing.weight(event) > _QUICK_BYTES
        for safe in await asyncio.to_thread(scrubbing.take, event) if heavy else scrubbing.take(event):
            yield safe


@attrs.define(eq=False)
class _Scrubbing:
    """What was heard and not told yet. Written by `take` only."""

    _scrubber: Scrubs
    _head: bytes = b""
    _step: int = 0
    _tail: bytearray = attrs.field(factory=bytearray)
    _artifact: bytearray = attrs.field(factory=bytearray)

    def weight(self, event: BoxEvent) -> int:
        """Returns: how many bytes `take` may have to look through."""
        chunk = getattr(event, "chunk", getattr(event, "content", b""))
        return len(self._head) + len(self._tail) + len(self._artifact) + len(chunk)

    def take(self, event: BoxEvent) -> list[BoxEvent]:
        """Returns: what may be told now."""
        return list(self._taken(event))

    def _taken(self, event: BoxEvent) -> Iterator[BoxEvent]:
        if not isinstance(event, StepOutput):
            yield from self._rest_of_head()
        match event:
            case StepOutput(index, chunk):
                self._step = index
                safe, self._head = self._scrubber.split(self._head + chunk)
                if safe:
                    yield StepOutput(index, safe)
            case LiveOutput():
                return
            case StepTail(_, chunk):
                self._tail += chunk
            case StepEnded():
                yield from self._whole_tail(event.index)
                yield event
            case ReportFile(path, content):
                yield ReportFile(path, self._scrubber.scrub(content))
            case ArtifactData():
                yield from self._artifact_of(event)
            case BoxEnded():
                warnings = tuple(self._scrubber.scrub(warning.encode()).decode() for warning in event.warnings)
                yield attrs.evolve(event, warnings=warnings)
            case _:
                yield event

    def _rest_of_head(self) -> Iterator[BoxEvent]:
        if self._head:
            yield StepOutput(self._step, self._scrubber.scrub_cut(self._head))
            self._head = b""

    def _whole_tail(self, index: int) -> Iterator[BoxEvent]:
        if self._tail:
            yield StepTail(index, self._scrubber.scrub_cut(bytes(self._tail)))
            self._tail.clear()

    def _artifact_of(self, event: ArtifactData) -> Iterator[BoxEvent]:
        self._artifact += event.chunk
        if event.whole is None:
            return
        content = self._scrubber.scrub(bytes(self._artifact))
        self._artifact.clear()
        whole = Artifact(path=event.path, bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
        yield ArtifactData(path=event.path, chunk=content, whole=whole)


async def without_key(events: AsyncIterator[BoxEvent], key: str) -> AsyncIterator[BoxEvent]:
    """Yield the events with `/deps` in place of `/deps/<key>`: where the dependencies lie is of use to nobody else."""
    place = f"/deps/{key}".encode()
    async for event in events:
        match event:
            case StepOutput() | LiveOutput() | StepTail():
                yield attrs.evolve(event, chunk=event.chunk.replace(place, b"/deps"))
            case ReportFile(path, content):
                yield ReportFile(path, content.replace(place, b"/deps"))
            case _:
                yield event
