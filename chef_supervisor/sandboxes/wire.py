"""The supervisor's side of the frames: an order into bytes, and bytes of a hostile box into whole, bounded frames."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

from chef_supervisor.domain.work import Step, Work
from chef_supervisor.sandboxes.agent import frames

Frame: TypeAlias = tuple[int, bytes]

_BATCH_BYTES: Final = 1 << 18
HELLO_LIMITS: Final[Mapping[int, int]] = {frames.HELLO: 1024}


class Garbled(Exception):
    """The box said something that its agent never says; never raised to a caller of ours."""


def encode_work(work: Work, limits: Mapping[str, int]) -> Iterator[bytes]:
    """Returns: the order, the files and GO, small frames gathered into larger writes."""
    batch = bytearray(frames.pack(frames.ORDER, _order(work, limits)))
    for path, content in work.files.items():
        batch += frames.pack(frames.FILE, frames.pack_named(path, content))
        if len(batch) >= _BATCH_BYTES:
            yield bytes(batch)
            batch.clear()
    yield bytes(batch + frames.pack(frames.GO))


def _order(work: Work, limits: Mapping[str, int]) -> bytes:
    order = {
        "steps": [_step(step) for step in work.steps],
        "env": dict(work.env),
        "timeout_s": work.timeout_s,
        "root": work.root,
        "links_from": work.links_from,
        "reports": list(work.reports),
        "artifact_globs": list(work.artifact_globs),
        "step_output_bytes": work.step_output_bytes,
        "live_bytes_per_s": work.live_bytes_per_s,
        "most_output_bytes": work.most_output_bytes,
        "report_bytes": work.report_bytes,
        "max_artifacts": work.max_artifacts,
        "artifact_bytes": work.artifact_bytes,
        "limits": dict(limits),
        "most_disk_bytes": work.most_disk_bytes,
        "needs": work.needs,
    }
    return json.dumps(order).encode()


def _step(step: Step) -> dict[str, object]:
    return {
        "argv": list(step.argv),
        "cwd": step.cwd,
        "env": dict(step.env),
        "timeout_s": step.timeout_s,
        "keep_going": step.keep_going,
    }


def answer_limits(work: Work) -> Mapping[int, int]:
    """Returns: the kinds that a box at work may send, each with the most bytes its payload may have."""
    return {
        frames.STARTED: frames.INDEX.size,
        frames.OUTPUT: frames.INDEX.size + frames.MAX_OUTPUT_CHUNK,
        frames.LIVE: frames.PLACE.size + frames.MAX_OUTPUT_CHUNK,
        frames.TAIL: frames.INDEX.size + frames.MAX_OUTPUT_CHUNK,
        frames.ENDED: frames.MAX_JSON,
        frames.REPORT: frames.MAX_PATH_BYTES + work.report_bytes,
        frames.ARTIFACT: frames.MAX_JSON,
        frames.DATA: frames.MAX_DATA_CHUNK,
        frames.VERDICT: frames.MAX_JSON,
    }


class FrameReader:
    """
    Cuts a stream into frames. It holds at most one frame that is not whole.

    `limits`: kind -> most bytes; anything else is refused as soon as its header is there.
    """

    def __init__(self, limits: Mapping[int, int]) -> None:
        self.limits = limits
        self._held = bytearray()

    def feed(self, chunk: bytes) -> Iterator[Frame]:
        """
        Returns: the frames that are whole now.

        Raises:
            Garbled: a frame of an unknown kind or of too many bytes.
        """
        self._held += chunk
        start = 0
        try:
            while (end := self._end_of_frame(start)) is not None:
                kind = self._held[start]
                payload = bytes(self._held[start + frames.HEADER.size : end])
                start = end
                yield kind, payload
        finally:
            del self._held[:start]

    def _end_of_frame(self, start: int) -> int | None:
        if len(self._held) - start < frames.HEADER.size:
            return None
        kind, length = frames.HEADER.unpack_from(self._held, start)
        if length > self.limits.get(kind, -1):
            msg = f"a frame of kind {kind} with {length} bytes"
            raise Garbled(msg)
        end = start + frames.HEADER.size + int(length)
        return end if end <= len(self._held) else None
