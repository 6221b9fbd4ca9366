"""
What becomes of an event after a try to tell a receiver of it. Chance is an argument.

Source: Standard Webhooks 1.0.0, "Deliverability and reliability", whose example of a schedule this is up to 10 h.
"""

from __future__ import annotations

from typing import Final

import attrs

from chef_supervisor.domain.delivery import Answer, Answered, Delivery, EventKind, Settlement

# The end of a job: tried at once, then so long after each try that failed.
END_DELAYS_S: Final = (5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0)
# A start or a progress: with the 5 s that its first try may take, the second begins within 10 s.
OTHER_DELAYS_S: Final = (2.0,)
_WITHIN_S: Final = 5.0
# Waits are longer by up to this share, by chance, so that what failed together does not come together.
JITTER: Final = 0.2
MOST_RETRY_AFTER_S: Final = 3_600.0
# Tries of an end that were begun and never settled: whoever made them died each time, or could not tell.
_UNSETTLED: Final = 14


@attrs.frozen(kw_only=True)
class Ruling:
    """What the store is to be told. `delay_ms`: until the next try; `reason`: a word such as `http_500`."""

    settlement: Settlement
    reason: str = ""
    delay_ms: int = 0


TAKEN: Final = Ruling(settlement=Settlement.TAKEN)
BACK: Final = Ruling(settlement=Settlement.BACK)
_SETTLED: Final = {Answered.REFUSED: Settlement.ENDED, Answered.GONE: Settlement.GONE}


def most_tries(kind: EventKind) -> int:
    """Returns: after so many tries that failed it is tried no more."""
    return 1 + len(_delays_s(kind))


def hopeless(delivery: Delivery) -> bool:
    """
    Whether it should have its end without another try.

    A try counts when it is begun. Of an end, those that are known to have failed are the schedule's affair.
    """
    if delivery.kind.terminal:
        return delivery.tries - delivery.failed >= _UNSETTLED
    return delivery.tries >= most_tries(delivery.kind)


def ruling(delivery: Delivery, answer: Answer, chance: float) -> Ruling:
    """Returns: what is to become of it. `chance` is from 0 to 1."""
    if answer.answered is Answered.TAKEN:
        return TAKEN
    if answer.answered is not Answered.FAILED:
        return Ruling(settlement=_SETTLED[answer.answered], reason=answer.reason)
    delay_s = _delay_s(delivery, answer.retry_after_s or 0.0, chance)
    if delay_s is None:
        return Ruling(settlement=Settlement.ENDED, reason=answer.reason)
    return Ruling(settlement=Settlement.AGAIN, reason=answer.reason, delay_ms=round(delay_s * 1000))


def _delay_s(delivery: Delivery, asked_s: float, chance: float) -> float | None:
    """Returns: None where there is no next try."""
    delays_s = _delays_s(delivery.kind)
    # Not by its tries: those who died, or could not tell, must not use up the hours that a receiver has to come back.
    if delivery.failed >= len(delays_s):
        return None
    if not delivery.kind.terminal and asked_s > _WITHIN_S:
        # By then there is a later one, or it is old news.
        return None
    return max(delays_s[delivery.failed], min(asked_s, MOST_RETRY_AFTER_S)) * (1 + JITTER * chance)


def _delays_s(kind: EventKind) -> tuple[float, ...]:
    return END_DELAYS_S if kind.terminal else OTHER_DELAYS_S
