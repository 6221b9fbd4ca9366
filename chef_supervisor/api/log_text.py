"""What is shown of a log: as a text, and as server-sent events."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, assert_never

import attrs
import orjson

from chef_supervisor.api.log_lines import LogEntry, Missing, Printed, Restarted
from chef_supervisor.domain.job import JobStatus
from chef_supervisor.domain.job_log import LogPosition
from chef_supervisor.engine.text import coloured, decode, without_our_paths

_RESET: Final = "\x1b[0m"


@attrs.frozen(kw_only=True)
class LogView:
    """What a reader asked for: colours or none, all steps or one."""

    ansi: bool = False
    step: str | None = None

    def wants(self, entry: Printed) -> bool:
        """Returns: whether it is of the step that was asked for."""
        return self.step in (None, entry.step)

    def show(self, content: bytes) -> str:
        """Returns: whole lines, for a terminal or for a machine; without paths of ours either way."""
        return coloured(content) if self.ansi else without_our_paths(decode(content))


def text_of(entries: Iterable[LogEntry], view: LogView) -> str:
    """Returns: the entries as one text; notices of what is missing stand on lines of their own."""
    parts: list[str] = []
    last_step: str | None = None
    for entry in entries:
        match entry:
            case Printed() if not view.wants(entry):
                continue
            case Printed():
                parts += _line_end(parts, view) if entry.step != last_step else ()
                parts.append(view.show(entry.content))
                last_step = entry.step
            case Missing():
                parts += (*_line_end(parts, view), f"[{entry.dropped_bytes} bytes are left out here]\n")
            case Restarted():
                parts += (*_line_end(parts, view), "[the job runs again]\n")
            case _:
                assert_never(entry)
    return "".join((*parts, _RESET if view.ansi else ""))


def frame_of(entry: LogEntry | JobStatus | None, position: LogPosition, view: LogView) -> bytes:
    """Returns: the entry as an event; None, and what the reader did not ask for, only as the place that it is at."""
    match entry:
        case Printed() if view.wants(entry):
            return _event("output", entry.position, {"step": entry.step, "text": view.show(entry.content)})
        case Printed():
            return _place(entry.position) + b"\n"
        case Missing():
            return _event("gap", entry.position, {"droppedBytes": entry.dropped_bytes})
        case Restarted():
            return _event("restart", entry.position, {"run": entry.position.run})
        case JobStatus():
            return _event("end", position, {"status": entry})
        case None:
            # An id without data moves the position the browser would resume from, and dispatches nothing.
            return b": heartbeat\n" + _place(position) + b"\n"
        case _:
            assert_never(entry)


def _line_end(parts: list[str], view: LogView) -> tuple[str, ...]:
    """Returns: what ends the line, and the colours, of what was printed last."""
    if not parts:
        return ()
    return (_RESET if view.ansi else "", "" if parts[-1].endswith("\n") else "\n")


def _event(name: str, position: LogPosition, content: object) -> bytes:
    return _place(position) + b"event: %s\ndata: %s\n\n" % (name.encode(), orjson.dumps(content))


def _place(position: LogPosition) -> bytes:
    return b"id: %d-%d\n" % (position.run, position.at)
