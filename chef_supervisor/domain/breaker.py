"""Keeps a receiver from being asked while it does not answer. Pure; time and chance are arguments."""

from __future__ import annotations

from typing import Final

import attrs

from chef_supervisor.domain.delivery import Answer, Answered
from chef_supervisor.domain.retry import Backoff, BackoffKind

FAILURES: Final = 5
# Of the first pause and of the longest; both less up to half by chance.
_PAUSES: Final = Backoff(kind=BackoffKind.EXPONENTIAL, delay_ms=5_000, max_ms=300_000)
MOST_PAUSE_S: Final = 3_600.0
# Of a receiver that strangers share: any of them can bring about a pause for all.
MOST_SHARED_PAUSE_S: Final = 60.0


@attrs.define(eq=False)
class Breaker:
    """
    Closed: all tries may begin. Open: none, for a pause. Half open, after the pause: one, and its answer decides.

    It opens after 5 failures in a row, or at once where the receiver says that it is overloaded and for how long: for up
    to an hour, and where strangers share it for up to a minute. What was begun before it opened says nothing of the time after, so each try has a ticket.
    """

    # When the pause ends; None while closed.
    until_s: float | None = None
    _failures: int = 0
    # In a row, without a success in between.
    _openings: int = 0
    # The tickets of tries that were begun since it last opened.
    _era: int = 0
    _probing: bool = False

    def allows(self, wanted: int, now_s: float) -> int:
        """Returns: how many of so many tries may begin now."""
        if self.until_s is None:
            return wanted
        return 0 if now_s < self.until_s or self._probing else min(1, wanted)

    def begin(self, now_s: float) -> int:
        """Returns: the ticket of a try that begins now; of one that was under way before it opened, a stale one."""
        if self.until_s is None:
            return self._era
        if now_s < self.until_s or self._probing:
            return self._era - 1
        self._probing = True
        return self._era

    def answered(self, ticket: int, answer: Answer, now_s: float, chance: float) -> bool:
        """
        Take the answer to a try.

        Returns: whether it opened or closed by that; `until_s` says which.
        """
        if ticket != self._era:
            self._put_off(answer, now_s)
            return False
        self._probing = False
        # Who refuses is there.
        if answer.answered is not Answered.FAILED:
            return self._close()
        self._failures += 1
        asked_s = _asked_s(answer)
        if self.until_s is None and self._failures < FAILURES and not asked_s:
            return False
        self._open(min(max(asked_s, _PAUSES.wait_ms(self._openings + 1, chance) / 1000), _most_s(answer)), now_s)
        return True

    def abandoned(self, ticket: int) -> None:
        """A try ended without an answer, for reasons of our own."""
        if ticket == self._era:
            self._probing = False

    def _open(self, pause_s: float, now_s: float) -> None:
        self._openings += 1
        self._era += 1
        self.until_s = now_s + pause_s

    def _close(self) -> bool:
        was_open = self.until_s is not None
        self.until_s, self._failures, self._openings = None, 0, 0
        return was_open

    def _put_off(self, answer: Answer, now_s: float) -> None:
        # An answer that is late by now, but says how long to leave it alone.
        if self.until_s is not None and now_s < self.until_s:
            self.until_s = max(self.until_s, now_s + _asked_s(answer))


def _asked_s(answer: Answer) -> float:
    return min(answer.retry_after_s or 0.0, _most_s(answer)) if answer.throttled else 0.0


def _most_s(answer: Answer) -> float:
    return MOST_SHARED_PAUSE_S if answer.shared else MOST_PAUSE_S
