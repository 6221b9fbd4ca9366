"""Positions in the queues' streams of events: compared, written as the id of a server-sent event, and read back."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from typing import Final

from chef_supervisor.domain.errors import Unprocessable
from chef_supervisor.domain.job import QueueName

_SHAPE: Final = re.compile(r"(?P<ms>[0-9]{1,20})-(?P<step>[0-9]{1,20})")
_LARGEST: Final = 2**64 - 1


@functools.lru_cache(maxsize=1024)
def order(position: str) -> tuple[int, int]:
    """Returns: what positions are compared by. Raises ValueError where the text is none."""
    match = _SHAPE.fullmatch(position)
    if match is None or max(int(match["ms"]), int(match["step"])) > _LARGEST:
        msg = f"{position[:50]!r} is no position"
        raise ValueError(msg)
    return int(match["ms"]), int(match["step"])


def write_cursor(positions: Mapping[QueueName, str]) -> str:
    """Returns: such as `builds:1700-0,tests:0-0`."""
    return ",".join(f"{queue}:{position}" for queue, position in positions.items())


def read_cursor(text: str, queues: Iterable[QueueName], field: str) -> dict[QueueName, str]:
    """
    Returns: the position in each queue the text names; `field` says where it came from.

    Raises:
        Unprocessable: `invalid_parameter`: no such queue, or no position.
    """
    cursor: dict[QueueName, str] = {}
    known = set(queues)
    for part in text.split(","):
        queue, _, position = part.partition(":")
        try:
            order(position)
        except ValueError as error:
            raise Unprocessable("invalid_parameter", field, str(error)) from error
        if queue not in known or queue in cursor:
            raise Unprocessable("invalid_parameter", field, f"{queue[:50]!r} is no queue, or stands there twice")
        cursor[QueueName(queue)] = position
    return cursor
