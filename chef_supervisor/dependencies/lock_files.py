"""The lock files that installs without one came out with, for the jobs that use what was installed then."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator
from typing import Final

from chef_supervisor.domain.work import ArtifactData, BoxEvent

_MOST_KEYS: Final = 64
_MOST_BYTES_EACH: Final = 4 << 20


class LockFiles:
    """Of the last installs of this process; what another one installed, or an earlier one, is not known."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[ArtifactData, ...]] = OrderedDict()

    async def keeping(self, key: str, events: AsyncIterator[BoxEvent]) -> AsyncIterator[BoxEvent]:
        """Yield the events of an install; what it hands back is kept for that key."""
        taken: list[ArtifactData] = []
        async for event in events:
            if isinstance(event, ArtifactData):
                taken.append(event)
            yield event
        if sum(len(event.chunk) for event in taken) <= _MOST_BYTES_EACH:
            self._keep(key, tuple(taken))

    async def again(self, key: str) -> AsyncIterator[BoxEvent]:
        """Yield what the install of that key handed back, as far as it is known."""
        for event in self._kept.get(key, ()):
            yield event

    def _keep(self, key: str, taken: tuple[ArtifactData, ...]) -> None:
        self._kept[key] = taken
        self._kept.move_to_end(key)
        if len(self._kept) > _MOST_KEYS:
            self._kept.popitem(last=False)
