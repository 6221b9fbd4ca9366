"""Who is to be told of a job: fixed when it is submitted, and kept with it."""

from __future__ import annotations

import re
from typing import Any, Final, NewType

import attrs

# `convex`, `hook.<name of an endpoint>`, `callback.<host>`: what one breaker and one limit stand for.
ReceiverName = NewType("ReceiverName", str)

# Each costs a row for every event.
MAX_SUBSCRIBERS: Final = 8
_NO_BLANKS: Final = re.compile(r"[^\s\0]*")


def _check_word(_subscriber: object, attribute: attrs.Attribute[Any], value: str) -> None:
    # They are stored one a line, their parts with blanks in between. The value is not told: it may hold a secret.
    if _NO_BLANKS.fullmatch(value) is None or (attribute.default is attrs.NOTHING and not value):
        msg = f"the {attribute.name} of a subscriber must be one word, without blanks and line breaks"
        raise ValueError(msg)


@attrs.frozen(kw_only=True)
class Subscriber:
    """
    A receiver of one job's events, fixed when the job is submitted.

    `progress`: it is told of the start and the progress too, and not of the end alone. `url`: where it is, for a
    callback; the others are found by their name.
    """

    receiver: ReceiverName = attrs.field(validator=_check_word)
    progress: bool = True
    url: str = attrs.field(default="", repr=False, validator=_check_word)


def check_subscribers(_job: object, _attribute: object, subscribers: tuple[Subscriber, ...]) -> None:
    """Raises: ValueError: there are too many, or one is named twice: each has one place for what it is to be told."""
    if len(subscribers) > MAX_SUBSCRIBERS:
        msg = f"a job may have {MAX_SUBSCRIBERS} subscribers, not {len(subscribers)}"
        raise ValueError(msg)
    if len({subscriber.receiver for subscriber in subscribers}) < len(subscribers):
        msg = "each subscriber of a job must be another receiver"
        raise ValueError(msg)
