"""The names that this process uses in an engine: what carries one of them is no leftover."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from chef_supervisor.domain.errors import SandboxUnavailable
from chef_supervisor.sandboxes.leftover import Leftover, LeftoverKind


class Names:
    """A name is used from before it is given to the engine until its cleanup was tried. Used from the loop alone."""

    def __init__(self) -> None:
        self._used: set[tuple[LeftoverKind, str]] = set()

    @contextmanager
    def use(self, kind: LeftoverKind, name: str) -> Iterator[None]:
        """
        Use it while the context lasts.

        Raises:
            SandboxUnavailable: this process uses it already.
        """
        used = (kind, name)
        if used in self._used:
            raise SandboxUnavailable(f"the {kind} {name} is already in use by this supervisor")
        self._used.add(used)
        try:
            yield
        finally:
            self._used.discard(used)

    def free_of(self) -> Callable[[Iterable[tuple[str, Leftover]]], list[Leftover]]:
        """
        Returns: what takes out of a list, made between now and then, all that was used now, or is used then.

        Used before alone is not enough, for the list may hold what was begun meanwhile; nor then alone, for it may hold
        what ended meanwhile, and is being removed by whoever ended it.
        """
        before = set(self._used)

        def unused(found: Iterable[tuple[str, Leftover]]) -> list[Leftover]:
            used = before | self._used
            return [leftover for name, leftover in found if (leftover.kind, name) not in used]

        return unused
