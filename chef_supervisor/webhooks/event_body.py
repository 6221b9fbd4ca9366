"""The body of one event: what every try of it sends, byte for byte."""

from __future__ import annotations

from typing import Final

import orjson

from chef_supervisor.domain.delivery import Message
from chef_supervisor.domain.moment import rfc3339
from chef_supervisor.webhooks.shortening import shortened

MOST_BODY_BYTES: Final = 1 << 20
# What the commas and names around the shortened result may take, and the address of the whole one.
_ROOM_BYTES: Final = 1024


def event_body(message: Message) -> bytes:
    """
    Returns: `{type, timestamp, data}` as JSON, at most 1 MiB; the same bytes for the same message.

    `data` is the job as `GET /api/jobs/:id` shows it; a result that is too large is shortened, which `truncated: true`
    says, and `resultPath` is where the whole one is.
    """
    whole = _encoded(message, {"result": None if message.result is None else orjson.Fragment(message.result)})
    if message.result is None or len(whole) <= MOST_BODY_BYTES:
        return whole
    missing: dict[str, object] = {"result": None, "truncated": True, "resultPath": f"/api/jobs/{message.job_id}"}
    room_bytes = MOST_BODY_BYTES - len(_encoded(message, missing)) - _ROOM_BYTES
    return _encoded(message, missing | {"result": orjson.Fragment(shortened(message.result, room_bytes))})


def _encoded(message: Message, result: dict[str, object]) -> bytes:
    return orjson.dumps(
        {
            "type": message.kind,
            "timestamp": rfc3339(message.at_ms),
            "data": _job(message) | result | ({"resultForgotten": True} if message.forgotten else {}),
        }
    )


def _job(message: Message) -> dict[str, object]:
    return {
        "jobId": message.job_id,
        "seq": message.seq,
        "type": message.type,
        "status": message.status,
        "progress": message.progress,
        "runs": message.runs,
        "chatId": message.tenant,
        "createdAt": _moment(message.created_at_ms),
        "startedAt": _moment(message.started_at_ms),
        "finishedAt": _moment(message.finished_at_ms),
        "cause": message.cause,
    }


def _moment(at_ms: int | None) -> str | None:
    return None if at_ms is None else rfc3339(at_ms)
