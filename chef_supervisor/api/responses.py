"""Domain -> JSON: what the endpoints answer, in camelCase and with times of RFC 3339."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import attrs
import orjson
from starlette.responses import Response

from chef_supervisor.domain.delivery import DeliveryState
from chef_supervisor.domain.job import QueueName, queue_of
from chef_supervisor.domain.moment import rfc3339
from chef_supervisor.store.answers import DeliveryCounts, JobState, QueueStats, Submitted

JSON: Final = "application/json"


def json_response(content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Returns: `content` as JSON."""
    return Response(orjson.dumps(content), status, headers, JSON)


def accepted(submitted: Submitted) -> dict[str, object]:
    """Returns: what the sender of a job is told; the same again where the request was replayed."""
    superseded = {} if submitted.superseded is None else {"supersedes": submitted.superseded}
    return _identity(submitted.state) | superseded


def _identity(state: JobState) -> dict[str, object]:
    return {
        "jobId": state.job_id,
        "type": state.type,
        "status": state.status,
        "queue": queue_of(state.job_id),
        "priority": state.priority,
        "createdAt": rfc3339(state.created_at_ms),
    }


def job_view(state: JobState, result: bytes | None, deliveries: Sequence[DeliveryState]) -> dict[str, object]:
    """Returns: all that is told of a job; `result` is JSON already and goes in as it is."""
    return _identity(state) | {
        "progress": state.progress,
        "runs": state.runs,
        "failures": state.failures,
        "attempts": state.attempts,
        "dueAt": _moment(state.due_at_ms),
        "startedAt": _moment(state.started_at_ms),
        "finishedAt": _moment(state.finished_at_ms),
        "cause": state.cause,
        "result": None if result is None else orjson.Fragment(result),
        "deliveries": [_delivery(delivery) for delivery in deliveries],
    }


def _delivery(state: DeliveryState) -> dict[str, object]:
    return {
        "receiver": state.receiver,
        "status": state.status,
        "event": state.kind,
        "seq": state.seq,
        "tries": state.tries,
        "reason": state.reason or None,
        "nextTryAt": _moment(state.next_try_at_ms),
        "deliveredAt": _moment(state.delivered_at_ms),
    }


def _moment(at_ms: int | None) -> str | None:
    return None if at_ms is None else rfc3339(at_ms)


def stats_view(
    stats: Mapping[QueueName, QueueStats], deliveries: Mapping[QueueName, DeliveryCounts]
) -> dict[str, object]:
    """Returns: the counts of each queue, and those of deliveries in all of them together."""
    return {
        "queues": {queue: attrs.asdict(counts) for queue, counts in stats.items()},
        "deliveries": {
            "waiting": sum(counts.waiting for counts in deliveries.values()),
            "delivered": sum(counts.delivered for counts in deliveries.values()),
            "undeliverable": sum(counts.undeliverable for counts in deliveries.values()),
        },
    }
