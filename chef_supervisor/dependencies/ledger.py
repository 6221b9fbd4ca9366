"""What one process knows of the shelf: what stands there, who of ours uses it, and what should go."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from operator import itemgetter

from chef_supervisor.domain.shelf import Inventory, Stored


class Ledger:
    """
    Times are in the clock of the shelf, which may be another machine's. Used from the loop alone.

    `clock`: seconds since the epoch on this machine.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._ahead_s = 0.0
        self._stored: Mapping[str, Stored] = {}
        self._leases: Counter[str] = Counter()
        # When this process used what; the shelf is told with whatever it is asked next.
        self._used: dict[str, float] = {}

    def take(self, inventory: Inventory) -> None:
        """Believe what the shelf said."""
        self._ahead_s = inventory.now_s - self._clock()
        self._stored = dict(inventory.stored)
        self._used = {key: used_s for key, used_s in self._used.items() if key in self._stored}

    def forget(self, key: str) -> None:
        """It is not there any more, as somebody found."""
        self._stored = {other: stored for other, stored in self._stored.items() if other != key}

    def find(self, key: str) -> Stored | None:
        """Returns: the entry, also where it has expired; None where it is not known."""
        return self._stored.get(key)

    def is_fresh(self, stored: Stored) -> bool:
        """Returns: whether it may be used by whoever comes now."""
        return stored.expires_s is None or self._now_s() < stored.expires_s

    @property
    def used(self) -> Mapping[str, float]:
        """Returns: when this process last used what is there."""
        return dict(self._used)

    @contextmanager
    def lease(self, key: str) -> Iterator[None]:
        """Name nothing of that key as surplus while the context lasts."""
        self._leases[key] += 1
        self._used[key] = self._now_s()
        try:
            yield
        finally:
            self._used[key] = self._now_s()
            self._leases[key] -= 1
            if not self._leases[key]:
                del self._leases[key]

    def surplus(self, max_bytes: int, spared: frozenset[str] = frozenset()) -> tuple[str, ...]:
        """
        Returns: what has expired, and of the rest what was used least recently until what stays has at most so many
        bytes; nothing that this process uses, and none of the `spared`.
        """
        free = [key for key in self._stored if key not in self._leases and key not in spared]
        gone = [key for key in free if not self.is_fresh(self._stored[key])]
        left = sum(stored.bytes for stored in self._stored.values()) - sum(self._stored[key].bytes for key in gone)
        by_use = sorted(((self._used_s(key), key) for key in free if key not in gone), key=itemgetter(0))
        for _, key in by_use:
            if left <= max_bytes:
                break
            gone.append(key)
            left -= self._stored[key].bytes
        return tuple(gone)

    def _used_s(self, key: str) -> float:
        return max(self._stored[key].used_s, self._used.get(key, 0.0))

    def _now_s(self) -> float:
        return self._clock() + self._ahead_s
