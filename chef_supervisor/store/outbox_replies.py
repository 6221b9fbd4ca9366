"""What Redis answers of deliveries, as values of the domain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chef_supervisor.domain.delivery import Delivery, DeliveryState, DeliveryStatus, EventKind, Message
from chef_supervisor.domain.errors import Bug
from chef_supervisor.domain.job import JobId, JobStatus, JobType, Tenant
from chef_supervisor.domain.subscriber import ReceiverName
from chef_supervisor.store.answers import DeliveryCounts
from chef_supervisor.store.connect import Reply

STATE_FIELDS: Final = ("state", "kind", "seq", "tries", "reason", "ended", "lease")
MESSAGE_FIELDS: Final = ("status", "tenant", "runs", "created", "started", "finished", "cause")
COUNTERS: Final = ("deliveries_waiting", "delivered", "undeliverable", "delivery_tries")


def delivery(receiver: ReceiverName, lease: str, row: Sequence[Reply]) -> Delivery:
    """
    Returns: a delivery from one list of the script's.

    Raises:
        ValueError: a field is not what was written.
    """
    job_id, seq, kind, *rest, tries, failed, url = row
    job_type, status, progress, at = (field.decode() for field in rest)
    return Delivery(
        job_id=JobId(job_id.decode()),
        receiver=receiver,
        lease=lease,
        seq=int(seq),
        kind=EventKind(kind.decode()),
        type=JobType(job_type),
        status=JobStatus(status),
        progress=int(progress),
        at_ms=int(at),
        tries=tries,
        failed=failed,
        url=url.decode(),
    )


def state(receiver: ReceiverName, fields: Sequence[bytes | None], due: float | bytes | None) -> DeliveryState | None:
    """
    Returns: the state from the values of STATE_FIELDS and the place in the outbox; None where nothing was told yet.

    Raises:
        Bug: a field is not what was written.
    """
    status, kind, seq, tries, reason, ended, lease = (None if field is None else field.decode() for field in fields)
    if status is None or kind is None:
        return None
    try:
        return DeliveryState(
            receiver=receiver,
            status=DeliveryStatus(status),
            kind=EventKind(kind),
            seq=int(seq or 0),
            tries=int(tries or 0),
            reason=reason or "",
            # On lease, the place says when the lease ends.
            next_try_at_ms=None if due is None or lease is not None else int(float(due)),
            delivered_at_ms=int(ended) if ended and status == DeliveryStatus.DELIVERED else None,
        )
    except ValueError as error:
        raise Bug(str(error)) from error


def message(told: Delivery, fields: Sequence[bytes | None], result: bytes | None) -> Message:
    """
    Returns: the message from the values of MESSAGE_FIELDS; they are None where the job is not kept any more. Every try
        of one event tells the same: what the job's next run or its end would change is told with its end alone.

    Raises:
        ValueError: a field is not what was written.
    """
    status, tenant, runs, created, started, finished, cause = (
        None if field is None else field.decode() for field in fields
    )
    ends = told.kind.terminal
    return Message(
        event_id=told.event_id,
        job_id=told.job_id,
        seq=told.seq,
        kind=told.kind,
        type=told.type,
        tenant=None if tenant is None else Tenant(tenant),
        status=told.status,
        progress=told.progress,
        at_ms=told.at_ms,
        runs=int(runs or 0) if ends and status is not None else None,
        created_at_ms=_ms(created),
        started_at_ms=_ms(started) if ends else _started_by(told),
        finished_at_ms=_ms(finished) if ends else None,
        cause=(cause or None) if ends else None,
        result=result,
        forgotten=status is None,
        url=told.url,
    )


def counts(counters: Sequence[bytes | None]) -> DeliveryCounts:
    """Returns: the counts from the values of COUNTERS."""
    waiting, delivered, undeliverable, tries = (int(count or 0) for count in counters)
    return DeliveryCounts(waiting=waiting, delivered=delivered, undeliverable=undeliverable, tries=tries)


def _started_by(told: Delivery) -> int | None:
    return told.at_ms if told.kind is EventKind.STARTED else None


def _ms(field: str | None) -> int | None:
    return int(field) if field else None
