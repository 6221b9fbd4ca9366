"""Checks what a box says against the work it was given. It may lie about its own job; it may say nothing impossible."""

from __future__ import annotations

import json
import string
from collections.abc import Callable, Mapping
from typing import Any, Final

from chef_supervisor.domain.errors import Unprocessable
from chef_supervisor.domain.files import check_path
from chef_supervisor.domain.outcome import Artifact
from chef_supervisor.domain.work import (
    ArtifactFound,
    BoxEnded,
    BoxEvent,
    EndedBy,
    ReportFile,
    StepEnded,
    StepOutput,
    StepStarted,
    Work,
)
from chef_supervisor.sandboxes.agent import frames
from chef_supervisor.sandboxes.wire import Garbled

_MAX_EXIT_CODE: Final = 255
_MAX_WARNINGS: Final = 20
_MAX_WARNING_CHARS: Final = 500
_SHA256_CHARS: Final = 64
_MOST: Final = 1 << 53


class Hearing:
    """What was heard of one work so far; each frame becomes one event, or Garbled."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._last_started = -1
        self._running = False
        self._output_left = work.output_bytes
        self._reports_left = set(work.reports)
        self._artifacts: set[str] = set()
        self._readers: Final[Mapping[int, Callable[[bytes], BoxEvent]]] = {
            frames.STARTED: self._started,
            frames.OUTPUT: self._output,
            frames.ENDED: self._ended,
            frames.REPORT: self._report,
            frames.ARTIFACT: self._artifact,
            frames.VERDICT: self._verdict,
        }

    def hear(self, kind: int, payload: bytes) -> BoxEvent:
        """
        Returns: what the frame tells.

        Raises:
            Garbled: it is malformed, or cannot be at this point of this work.
        """
        try:
            return self._readers[kind](payload)
        except (ValueError, KeyError, TypeError, RecursionError, Unprocessable) as error:
            msg = f"a frame of kind {kind}: {type(error).__name__}"
            raise Garbled(msg) from error

    def _started(self, payload: bytes) -> StepStarted:
        index = self._index(payload)
        _require(not self._running and index == self._last_started + 1 < len(self._work.steps))
        self._last_started, self._running = index, True
        return StepStarted(index)

    def _output(self, payload: bytes) -> StepOutput:
        index, chunk = self._index(payload[: frames.INDEX.size]), payload[frames.INDEX.size :]
        self._output_left -= len(chunk)
        _require(index <= self._last_started and self._output_left >= 0)
        return StepOutput(index, chunk)

    def _ended(self, payload: bytes) -> StepEnded:
        told = _object(payload, {"index", "exit_code", "ended_by", "ms"})
        ended_by, exit_code = EndedBy(told["ended_by"]), told["exit_code"]
        _require(self._running and _whole(told["index"], _MOST) == self._last_started)
        _require((ended_by is EndedBy.EXIT) == (exit_code is not None))
        self._running = False
        return StepEnded(
            index=self._last_started,
            exit_code=None if exit_code is None else _whole(exit_code, _MAX_EXIT_CODE),
            ended_by=ended_by,
            ms=_whole(told["ms"], _MOST),
        )

    def _report(self, payload: bytes) -> ReportFile:
        path, content = frames.unpack_named(payload)
        # Only what was asked for, each once: that is stricter than any rule for paths.
        self._reports_left.remove(path)
        _require(len(content) <= self._work.report_bytes)
        return ReportFile(path, content)

    def _artifact(self, payload: bytes) -> ArtifactFound:
        told = _object(payload, {"path", "bytes", "sha256"})
        path, digest = check_path(_text(told["path"]), "artifact"), _text(told["sha256"])
        _require(path not in self._artifacts and len(self._artifacts) < self._work.max_artifacts)
        _require(len(digest) == _SHA256_CHARS and set(digest) <= set(string.hexdigits.lower()))
        self._artifacts.add(path)
        return ArtifactFound(Artifact(path=path, bytes=_whole(told["bytes"], _MOST), sha256=digest))

    def _verdict(self, payload: bytes) -> BoxEnded:
        told = _object(payload, {"ended_by", "dropped_bytes", "warnings"})
        warnings = tuple(_text(warning)[:_MAX_WARNING_CHARS] for warning in told["warnings"])
        _require(not self._running and isinstance(told["warnings"], list) and len(warnings) <= _MAX_WARNINGS)
        return BoxEnded(
            complete=True,
            ended_by=EndedBy(told["ended_by"]),
            dropped_bytes=_whole(told["dropped_bytes"], _MOST),
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
