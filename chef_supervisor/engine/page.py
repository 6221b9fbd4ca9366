"""A text of bounded bytes, written in blocks: what does not fit is counted and not cut in its middle."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import attrs

_LONGEST_LINE: Final = 300
# What the line that tells how much was left out may need.
_REST_BYTES: Final = 120


def one_line(text: str, longest: int = _LONGEST_LINE) -> str:
    """Returns: the text on one line, cut."""
    # Cut before as well: the text may be long.
    flat = " ".join(text[: longest * 4].split())
    return flat if len(flat) <= longest else flat[: longest - 4] + " ..."


@attrs.define(eq=False)
class Page:
    """At most `limit` bytes of UTF-8, line feeds counted."""

    limit: int
    _lines: list[str] = attrs.field(factory=list, init=False)
    _used: int = attrs.field(default=0, init=False)

    @property
    def room(self) -> int:
        """Bytes that are left."""
        return self.limit - self._used

    @property
    def text(self) -> str:
        """All lines."""
        return "\n".join(self._lines)

    def add(self, lines: Iterable[str], keep_free: int = 0) -> bool:
        """Returns: whether all these lines were added; none of them is where they do not fit."""
        block = list(lines)
        needed = sum(len(line.encode()) + 1 for line in block)
        if needed > self.room - keep_free:
            return False
        self._lines += block
        self._used += needed
        return True

    def add_blocks(
        self, blocks: Sequence[Sequence[str]], rest: Callable[[int], str], keep_free: int = 0, left_out: int = 0
    ) -> None:
        """
        Add as many of these as fit, in their order, and where some do not, or were `left_out` before, the rest's line.

        `keep_free`: bytes that others need. `rest` is given how many blocks were added.
        """
        added = 0
        for block in blocks:
            if not self.add(block, keep_free + _REST_BYTES):
                break
            added += 1
        if added < len(blocks) or left_out:
            self.add([rest(added)], keep_free)
