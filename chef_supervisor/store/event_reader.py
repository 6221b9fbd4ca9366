"""Reads a queue's stream of events and sees for certain whether some were trimmed before they were read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from chef_supervisor.domain.job import QueueName
from chef_supervisor.store import replies
from chef_supervisor.store.answers import Gap, JobEvent
from chef_supervisor.store.connect import Reply

START: Final = "0-0"
_POSITION: Final = re.compile(r"(\d{1,18})-0")


def number(position: str) -> int | None:
    """Returns: the number in a position; None where the text is none of ours."""
    match = _POSITION.fullmatch(position)
    return None if match is None else int(match[1])


def after_reading(queue: QueueName, after: int, entries: Sequence[Reply]) -> list[JobEvent | Gap]:
    """Returns: the events, and before them a gap where the first is not the next after `after`."""
    events = [replies.event(queue, position, fields) for position, fields in entries]
    first = number(events[0].position)
    if first is None or first == after + 1:
        return [*events]
    return [Gap(queue, f"{first - 1}-0"), *events]


def after_silence(queue: QueueName, after: int | None, tail: str) -> list[JobEvent | Gap]:
    """Returns: a gap where the stream ends before the position: it is not the stream the position came from."""
    newest = number(tail)
    return [Gap(queue, tail)] if after is None or newest is None or newest < after else []
