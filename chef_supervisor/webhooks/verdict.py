"""
What an answer of an endpoint means.

Source: Standard Webhooks 1.0.0, "Event delivery": 2xx is success, 3xx is not followed, 410 ends it, 429, 502 and 504
slow down; 503 is added, which says the same (RFC 9110, 15.6.4).
"""

from __future__ import annotations

import email.utils
from datetime import UTC
from typing import Final

from chef_supervisor.domain.delivery import Answer, Answered
from chef_supervisor.webhooks.reading import Reply

_THROTTLED: Final = frozenset({429, 502, 503, 504})
_GONE: Final = 410
MOST_RETRY_AFTER_S: Final = 3600.0


def verdict(reply: Reply, now_s: float) -> Answer:
    """Returns: the answer. `now_s`: seconds since the epoch, for a `Retry-After` that is a date."""
    match reply.status // 100, reply.status:
        case 2, _:
            return Answer(answered=Answered.TAKEN)
        case 3, _:
            return Answer(answered=Answered.FAILED, reason="redirect")
        case _, status if status == _GONE:
            return Answer(answered=Answered.GONE, reason=f"http_{status}")
        case _, status if status in _THROTTLED:
            wait_s = retry_after_s(reply.retry_after, now_s)
            return Answer(answered=Answered.FAILED, reason=f"http_{status}", throttled=True, retry_after_s=wait_s)
        case _, status:
            return Answer(answered=Answered.FAILED, reason=f"http_{status}")


def retry_after_s(text: str, now_s: float) -> float | None:
    """Returns: seconds from now, 0 to 3600; None where it is neither a number of seconds nor a date (RFC 9110, 10.2.3)."""
    if text.isascii() and text.isdecimal():
        return min(float(text), MOST_RETRY_AFTER_S)
    try:
        at = email.utils.parsedate_to_datetime(text)
    except (ValueError, IndexError, OverflowError):
        return None
    # "-0000" leaves the zone out; HTTP's dates are of UTC.
    seconds = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - now_s
    return max(0.0, min(seconds, MOST_RETRY_AFTER_S))
