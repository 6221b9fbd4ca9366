"""All receivers of this process by their names: those of the configuration, and hosts that jobs ask to be called back."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from typing import Final

import attrs

from chef_supervisor.domain.delivery import ReceiverName
from chef_supervisor.webhooks.policy import callback_name
from chef_supervisor.webhooks.receiver import Receiver

_CALLBACK: Final = callback_name("")
_CLOSE_S: Final = 2.0
# A healthy host answers sooner.
_SLOW_S: Final = 2.0
# So many times `most_callbacks` may be there beside those: `Gate` lets one try at a time through to each of them.
_SLOW_SHARE: Final = 2


def _each(receivers: Iterable[Receiver]) -> tuple[Receiver, ...]:
    return tuple(receivers)


@attrs.define(eq=False)
class _Open:
    receiver: Receiver
    holders: int = 0
    used_at_s: float = 0.0

    def slow(self, now_s: float) -> bool:
        """Whether it is in use, and nothing began or ended there for a while."""
        return self.holders > 0 and now_s - self.used_at_s >= _SLOW_S


@attrs.define(eq=False, kw_only=True)
class Receivers:
    """
    `configured`: there as long as this is. `callback`: makes the receiver for a host (`make_callback`); None where
    callbacks are switched off. At most `most_callbacks` of these are there at a time, beside twice as many that have not
    answered for 2 s, so that silent ones do not keep the others out; those that nobody held for `idle_s` go. `dropped`
    is set where some must make room for others, which `tidy` does. Times are the event loop's.

    Whoever made this closes it.
    """

    configured: tuple[Receiver, ...] = attrs.field(converter=_each)
    callback: Callable[[str], Receiver] | None = None
    most_callbacks: int = attrs.field(default=64, validator=attrs.validators.ge(1))
    idle_s: float = 60.0
    dropped: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)
    _configured: dict[ReceiverName, Receiver] = attrs.field(init=False)
    _callbacks: dict[ReceiverName, _Open] = attrs.field(factory=dict, init=False)
    _leaving: list[Receiver] = attrs.field(factory=list, init=False)

    def __attrs_post_init__(self) -> None:
        """Two of one name would share a place in the outbox."""
        self._configured = {receiver.name: receiver for receiver in self.configured}
        if len(self._configured) < len(self.configured):
            raise ValueError(f"two receivers have one name: {[receiver.name for receiver in self.configured]}")

    @property
    def names(self) -> tuple[ReceiverName, ...]:
        """Those of the configuration."""
        return tuple(self._configured)

    @property
    def nobody(self) -> bool:
        """Whether no receiver is known, and none ever will be."""
        return not self._configured and self.callback is None

    def knows(self, name: ReceiverName) -> bool:
        """Whether this configuration has such a receiver, or makes one when it is asked for."""
        return name in self._configured or (self.callback is not None and name.startswith(_CALLBACK))

    def hold(self, name: ReceiverName, now_s: float) -> Receiver | None:
        """
        Returns: that receiver, which is there until as many times released as it was held; None where it is not known,
            or where there are as many callbacks as there may be: `tidy` makes room, if one of them is idle.
        """
        if name in self._configured:
            return self._configured[name]
        held = self._callbacks.get(name) or self._made(name, now_s)
        if held is None:
            return None
        held.holders += 1
        held.used_at_s = now_s
        return held.receiver

    def release(self, name: ReceiverName, now_s: float) -> None:
        """Let go of what was held."""
        held = self._callbacks.get(name)
        if held is not None:
            held.holders -= 1
            held.used_at_s = now_s

    async def tidy(self, now_s: float) -> None:
        """Close what made room for others, and what nobody needs any more."""
        for name, one in tuple(self._callbacks.items()):
            if not one.holders and now_s - one.used_at_s >= self.idle_s:
                self._drop(name)
        await self._close_those_that_leave()

    async def close(self) -> None:
        """Close all."""
        for name in tuple(self._callbacks):
            self._drop(name)
        self._leaving.extend(self._configured.values())
        await self._close_those_that_leave()

    async def _close_those_that_leave(self) -> None:
        self.dropped.clear()
        while self._leaving:
            # What hangs is cut when it is collected.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_S):
                    await self._leaving[0].close()
            del self._leaving[0]

    def _made(self, name: ReceiverName, now_s: float) -> _Open | None:
        if self.callback is None or not name.startswith(_CALLBACK) or not self._has_room(now_s):
            return None
        self._callbacks[name] = _Open(self.callback(name.removeprefix(_CALLBACK)))
        return self._callbacks[name]

    def _has_room(self, now_s: float) -> bool:
        """Returns: whether one more may be there now; where not, those that were idle longest begin to make room."""
        slow = sum(one.slow(now_s) for one in self._callbacks.values())
        counted = len(self._callbacks) + len(self._leaving) - min(slow, _SLOW_SHARE * self.most_callbacks)
        if counted < self.most_callbacks:
            return True
        idle = [name for name, one in self._callbacks.items() if not one.holders]
        # Slow ones that have answered since count again, and may be too many.
        for name in sorted(idle, key=lambda name: self._callbacks[name].used_at_s)[: counted - self.most_callbacks + 1]:
            self._drop(name)
        return False

    def _drop(self, name: ReceiverName) -> None:
        self.dropped.set()
        self._leaving.append(self._callbacks.pop(name).receiver)
