"""How much of an analysis is kept, whatever a report holds; what is cut is counted by who cuts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final, TypeVar

from chef_supervisor.engine.text import message_of

T = TypeVar("T")
MOST_LANGUAGES: Final = 30
MOST_DIRECT: Final = 300
MOST_LOCKED: Final = 500
MOST_UNUSED: Final = 100
MOST_MISSING: Final = 100
MOST_CYCLES: Final = 50
LONGEST_CYCLE: Final = 50
MOST_MODULES: Final = 30
MOST_VULNERABILITIES: Final = 200
# More of anything is read by nobody, and would hold up who reads it here.
_MOST_READ: Final = 20_000
_LONGEST_NAME: Final = 214
_LONGEST_TITLE: Final = 300


def some(items: Iterable[T]) -> Iterator[T]:
    """Returns: the first 20,000."""
    return islice(items, _MOST_READ)


def a_name(value: object) -> str:
    """Returns: the value as the name of a package, a version, a licence; empty where it is no text."""
    return " ".join(message_of(value, _LONGEST_NAME).split()) if isinstance(value, str) else ""


def a_title(value: object) -> str:
    """Returns: the value as one line of prose; empty where it is no text."""
    return " ".join(message_of(value, _LONGEST_TITLE).split()) if isinstance(value, str) else ""
