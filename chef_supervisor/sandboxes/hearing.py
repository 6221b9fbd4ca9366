"""Checks what a box says against the work it was given. It may lie about its own job; it may say nothing impossible."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs

from chef_supervisor.domain.errors import Unprocessable
from chef_supervisor.domain.files import check_path
from chef_supervisor.domain.outcome import Artifact
from chef_supervisor.domain.work import (
    ArtifactData,
    BoxEnded,
    BoxEvent,
    EndedBy,
    LiveOutput,
    ReportFile,
    StepEnded,
    StepOutput,
    StepStarted,
    StepTail,
    Work,
)
from chef_supervisor.sandboxes.agent import frames
from chef_supervisor.sandboxes.wire import Garbled

_MAX_EXIT_CODE: Final = 255
_MAX_WARNINGS: Final = 20
_MAX_WARNING_CHARS: Final = 500
_MOST: Final = 1 << 53
_LIVE_GRACE_S: Final = 60
# What a step had printed but nobody had read yet when it was ended for printing too much.
_MOST_IN_PIPES: Final = 16 << 20


@attrs.define(eq=False)
class _Incoming:
    """An artifact whose content is under way."""

    path: str
    size: int
    left: int
    digest: Any = attrs.field(factory=hashlib.sha256)

    def take(self, chunk: bytes) -> ArtifactData:
        """Returns: the event of the next bytes, with the whole artifact where they are the last."""
        self.left -= len(chunk)
        _require(self.left >= 0)
        self.digest.update(chunk)
        whole = Artifact(path=self.path, bytes=self.size, sha256=self.digest.hexdigest()) if not self.left else None
        return ArtifactData(path=self.path, chunk=chunk, whole=whole)


class Hearing:
    """What was heard of one work so far; each frame becomes one event, or Garbled."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._last_started = -1
        self._running = False
        self._head_left = self._tail_left = work.step_output_bytes
        # What the agent keeps to by the second is bounded here by the work's whole time.
        self._live_left = work.live_bytes_per_s * (work.timeout_s + _LIVE_GRACE_S)
        self._skipped_left = work.most_output_bytes + _MOST_IN_PIPES
        self._reports_left = set(work.reports)
        self._artifacts: set[str] = set()
        self._artifact_bytes_left = work.artifact_bytes
        self._incoming: _Incoming | None = None
        self._readers: Final[Mapping[int, Callable[[bytes], BoxEvent]]] = {
            frames.STARTED: self._started,
            frames.OUTPUT: self._output,
            frames.LIVE: self._live,
            frames.TAIL: self._tail,
            frames.ENDED: self._ended,
            frames.REPORT: self._report,
            frames.ARTIFACT: self._artifact,
            frames.DATA: self._data,
            frames.VERDICT: self._verdict,
        }

    def hear(self, kind: int, payload: bytes) -> BoxEvent:
        """
        Returns: what the frame tells.

        Raises:
            Garbled: it is malformed, or cannot be at this point of this work.
        """
        try:
            _require((kind == frames.DATA) == (self._incoming is not None))
            return self._readers[kind](payload)
        except (ValueError, KeyError, TypeError, RecursionError, Unprocessable) as error:
            msg = f"a frame of kind {kind}: {type(error).__name__}"
            raise Garbled(msg) from error

    def _started(self, payload: bytes) -> StepStarted:
        index = self._index(payload)
        _require(not self._running and index == self._last_started + 1 < len(self._work.steps))
        self._last_started, self._running = index, True
        self._head_left = self._tail_left = self._work.step_output_bytes
        return StepStarted(index)

    def _output(self, payload: bytes) -> StepOutput:
        index, chunk = self._printed(payload)
        self._head_left -= len(chunk)
        _require(self._head_left >= 0)
        return StepOutput(index, chunk)

    def _live(self, payload: bytes) -> LiveOutput:
        _require(len(payload) >= frames.PLACE.size)
        (index, skipped), chunk = frames.PLACE.unpack_from(payload), payload[frames.PLACE.size :]
        self._live_left -= len(chunk)
        self._skipped_left -= skipped
        _require(self._running and index == self._last_started and min(self._live_left, self._skipped_left) >= 0)
        return LiveOutput(index, chunk, skipped)

    def _tail(self, payload: bytes) -> StepTail:
        index, chunk = self._printed(payload)
        self._tail_left -= len(chunk)
        _require(self._tail_left >= 0)
        return StepTail(index, chunk)

    def _printed(self, payload: bytes) -> tuple[int, bytes]:
        index, chunk = self._index(payload[: frames.INDEX.size]), payload[frames.INDEX.size :]
        _require(self._running and index == self._last_started)
        return index, chunk

    def _ended(self, payload: bytes) -> StepEnded:
        told = _object(payload, {"index", "exit_code", "ended_by", "ms", "dropped_bytes"})
        ended_by, exit_code = EndedBy(told["ended_by"]), told["exit_code"]
        _require(self._running and _whole(told["index"], _MOST) == self._last_started)
        _require((ended_by is EndedBy.EXIT) == (exit_code is not None))
        self._running = False
        return StepEnded(
            index=self._last_started,
            exit_code=None if exit_code is None else _whole(exit_code, _MAX_EXIT_CODE),
            ended_by=ended_by,
            ms=_whole(told["ms"], _MOST),
            dropped_bytes=_whole(told["dropped_bytes"], self._work.most_output_bytes + _MOST_IN_PIPES),
        )

    def _report(self, payload: bytes) -> ReportFile:
        path, content = frames.unpack_named(payload)
        # Only what was asked for, each once: that is stricter than any rule for paths.
        self._reports_left.remove(path)
        _require(len(content) <= self._work.report_bytes)
        return ReportFile(path, content)

    def _artifact(self, payload: bytes) -> ArtifactData:
        told = _object(payload, {"path", "bytes"})
        path, size = check_path(_text(told["path"]), "artifact"), _whole(told["bytes"], self._artifact_bytes_left)
        _require(not self._running and path not in self._artifacts and len(self._artifacts) < self._work.max_artifacts)
        self._artifacts.add(path)
        self._artifact_bytes_left -= size
        self._incoming = _Incoming(path=path, size=size, left=size)
        return self._data(b"")

    def _data(self, payload: bytes) -> ArtifactData:
        assert self._incoming is not None  # noqa: S101  (checked for every frame)
        event = self._incoming.take(payload)
        if event.whole is not None:
            self._incoming = None
        return event

    def _verdict(self, payload: bytes) -> BoxEnded:
        told = _object(payload, {"ended_by", "warnings"})
        warnings = tuple(_text(warning)[:_MAX_WARNING_CHARS] for warning in told["warnings"])
        _require(not self._running and isinstance(told["warnings"], list) and len(warnings) <= _MAX_WARNINGS)
        return BoxEnded(
            complete=True,
            ended_by=EndedBy(told["ended_by"]),
            warnings=warnings,
        )

    @staticmethod
    def _index(payload: bytes) -> int:
        _require(len(payload) == frames.INDEX.size)
        return int(frames.INDEX.unpack(payload)[0])


def _object(payload: bytes, keys: set[str]) -> dict[str, Any]:
    told = json.loads(payload.decode())
    _require(isinstance(told, dict) and told.keys() == keys)
    return dict(told)


def _whole(value: object, most: int) -> int:
    # bool is an int to Python, but not to us.
    if type(value) is not int or not 0 <= value <= most:
        raise ValueError
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    # A lone surrogate is a str that no encoder takes later.
    value.encode()
    return value


def _require(holds: bool) -> None:  # noqa: FBT001  (an assertion that is never compiled away)
    if not holds:
        raise ValueError
