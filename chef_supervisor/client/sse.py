"""
Server-sent events from the bytes of a stream.

Source: HTML Living Standard, 9.2.6 "Interpreting an event stream"; of it, what this service sends.
"""

from __future__ import annotations

from collections.abc import Iterator

import attrs


@attrs.frozen(kw_only=True)
class ServerEvent:
    """One event. `id` is the last one that was told, also before this event."""

    name: str
    data: str
    id: str


@attrs.define(eq=False)
class EventParser:
    """Takes bytes as they come and gives whole events. `last_id`: that of the last whole one."""

    last_id: str
    _rest: bytes = b""
    _id: str = ""
    _name: str = ""
    _data: list[str] = attrs.field(factory=list)

    def feed(self, chunk: bytes) -> Iterator[ServerEvent]:
        """Yields: the events that this chunk completes."""
        # Not str.splitlines: text may hold characters that it takes for ends of lines.
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            event = self._take(line.removesuffix(b"\r").decode(errors="replace"))
            if event is not None:
                yield event

    def _take(self, line: str) -> ServerEvent | None:
        if not line:
            return self._whole()
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match field:
            case "event":
                self._name = value
            case "data":
                self._data.append(value)
            case "id":
                self._id = value
            case _:
                # A comment keeps the connection alive; what is not known says nothing.
                pass
        return None

    def _whole(self) -> ServerEvent | None:
        # Not before: what breaks off in the middle of an event is to come again.
        self.last_id = self._id or self.last_id
        name, lines = self._name or "message", self._data
        self._name, self._data = "", []
        return ServerEvent(name=name, data="\n".join(lines), id=self.last_id) if lines else None
