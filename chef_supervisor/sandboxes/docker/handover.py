"""How a thread hands over what it made in the engine, to a caller that may have given it up meanwhile."""

from __future__ import annotations

from collections.abc import Callable

import attrs


@attrs.define(eq=False)
class Handover:
    """Each side says its own word first and then looks for the other's: so at least one of them removes it."""

    _made: str | None = attrs.field(default=None, init=False)  # written by the thread only
    _given_up: bool = attrs.field(default=False, init=False)  # written by the caller only

    def hand(self, made: str, undo: Callable[[], None]) -> None:
        """Called in the thread as soon as it exists; undone at once where nobody waits for it any more."""
        self._made = made
        if self._given_up:
            undo()

    def give_up(self) -> str | None:
        """Returns: what there is for the caller to remove; what is made later the thread removes."""
        self._given_up = True
        return self._made
