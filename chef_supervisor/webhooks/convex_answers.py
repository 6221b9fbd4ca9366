"""
What Convex's answers mean.

From its own source: a function that threw is told by `status` in the body, under 200 (crates/local_backend/src/
public_api.rs) or 560 (npm-packages/convex/src/browser/http_client.ts); other statuses are of Convex itself
(crates/errors/src/lib.rs).
"""

from __future__ import annotations

import re
from typing import Final

import orjson

from chef_supervisor.domain.delivery import Answer, Answered
from chef_supervisor.webhooks.reading import Reply
from chef_supervisor.webhooks.verdict import retry_after_s

_ASKS_THE_BODY: Final = frozenset({200, 560})
_AGAIN: Final = frozenset({408, 421, 425, 429})
_THROTTLED: Final = frozenset({429, 502, 503, 504})
_SERVER_ERRORS: Final = 500
# Of an answer that was not read to its end: Convex writes the status first, and what follows is the user's.
_STATUS_FIRST: Final = re.compile(rb'\s*\{\s*"status"\s*:\s*"(success|error)"\s*[,}]')

_TAKEN: Final = Answer(answered=Answered.TAKEN)
_FUNCTION_FAILED: Final = Answer(answered=Answered.REFUSED, reason="function_failed")
_UNREADABLE: Final = Answer(answered=Answered.FAILED, reason="unreadable_answer")


def answer_of(reply: Reply, now_s: float) -> Answer:
    """
    Returns: what became of the call; nothing of the body is in it but one word of ours.

    `now_s`: seconds since the epoch, for a `Retry-After` that is a date.
    """
    if reply.status in _ASKS_THE_BODY:
        return _BY_STATUS.get(_status_in(reply), _UNREADABLE)
    reason = f"http_{reply.status}"
    if reply.status not in _AGAIN and reply.status < _SERVER_ERRORS:
        return Answer(answered=Answered.REFUSED, reason=reason)
    wait_s, throttled = retry_after_s(reply.retry_after, now_s), reply.status in _THROTTLED
    return Answer(answered=Answered.FAILED, reason=reason, throttled=throttled, retry_after_s=wait_s)


_BY_STATUS: Final = {"success": _TAKEN, "error": _FUNCTION_FAILED}


def _status_in(reply: Reply) -> str:
    if not reply.whole:
        found = _STATUS_FIRST.match(reply.body)
        return found[1].decode() if found else ""
    try:
        body = orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        return ""
    status = body.get("status") if isinstance(body, dict) else None
    return status if isinstance(status, str) else ""
