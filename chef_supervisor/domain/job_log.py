"""The log of a job: what its steps print while they run, in pieces, each with its place."""

from __future__ import annotations

from typing import Final

import attrs

# Larger pieces would hold up whoever packs, reads or shows them.
MOST_PIECE_BYTES: Final = 1 << 16


@attrs.frozen(order=True)
class LogPosition:
    """
    A place in the log of a job: so many bytes of that run.

    Bytes that were left out are counted like those that are there, so a place means the same whatever is left out
    later. Runs count from 1; a later run's log takes the place of an earlier one's.
    """

    run: int = 0
    at: int = 0


@attrs.frozen(kw_only=True)
class LogPiece:
    """Bytes that one step of a run printed. `end`: their place is the one right before it."""

    run: int
    step: str
    end: int
    content: bytes = attrs.field(repr=False)

    @property
    def start(self) -> int:
        """Where its first byte is."""
        return self.end - len(self.content)
