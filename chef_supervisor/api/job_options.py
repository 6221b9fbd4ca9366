"""How a job is to be run, from the top of the body of `POST /api/jobs`: its time limits, repeats, delay and dedupe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs

from chef_supervisor.api.bounded_numbers import whole_number
from chef_supervisor.domain.errors import Unprocessable
from chef_supervisor.domain.job import JobOptions
from chef_supervisor.domain.retry import Backoff, BackoffKind
from chef_supervisor.settings import MAX_TIMEOUT_MS

FIELDS: Final = ("timeoutMs", "stepTimeoutMs", "attempts", "backoff", "delayMs", "dedupe")
MIN_TIMEOUT_MS: Final = 1_000
MAX_ATTEMPTS: Final = 10
MAX_BACKOFF_MS: Final = 3_600_000
MAX_DELAY_MS: Final = 7 * 86_400_000
_BACKOFF_FIELDS: Final = ("type", "delayMs", "maxMs")
_KINDS: Final = {kind.value: kind for kind in BackoffKind}
_DEDUPE: Final = "latest"
_MAX_SHOWN: Final = 50


@attrs.frozen(kw_only=True)
class Wishes:
    """What was asked for beside the job itself."""

    options: JobOptions
    delay_ms: int
    supersedes: bool


_NONE: Final = Wishes(options=JobOptions(), delay_ms=0, supersedes=False)


def read_wishes(body: Mapping[str, object]) -> Wishes:
    """
    Returns: what is asked for; whatever is absent is as it is by default.

    Raises:
        Unprocessable: `invalid_timeout`, `invalid_attempts`, `invalid_backoff`, `invalid_delay`, `invalid_dedupe`, or
            `unknown_field` in `backoff`.
    """
    if body.keys().isdisjoint(FIELDS):
        return _NONE
    timeout_ms = _timeout(body, "timeoutMs", MAX_TIMEOUT_MS)
    options = JobOptions(
        attempts=whole_number(body, "attempts", 1, MAX_ATTEMPTS, code="invalid_attempts") or 1,
        backoff=_backoff(body),
        timeout_ms=timeout_ms,
        step_timeout_ms=_timeout(body, "stepTimeoutMs", timeout_ms or MAX_TIMEOUT_MS),
    )
    delay_ms = whole_number(body, "delayMs", 0, MAX_DELAY_MS, code="invalid_delay") or 0
    return Wishes(options=options, delay_ms=delay_ms, supersedes=_supersedes(body))


def _timeout(body: Mapping[str, object], field: str, most_ms: int) -> int | None:
    return whole_number(body, field, MIN_TIMEOUT_MS, most_ms, code="invalid_timeout")


def _backoff(body: Mapping[str, object]) -> Backoff:
    asked = body.get("backoff", {})
    if not isinstance(asked, dict):
        raise Unprocessable("invalid_backoff", "backoff", f"must be an object of {', '.join(_BACKOFF_FIELDS)}")
    for key in asked:
        if key not in _BACKOFF_FIELDS:
            known = f"known here: {', '.join(_BACKOFF_FIELDS)}"
            raise Unprocessable("unknown_field", f"backoff.{key[:_MAX_SHOWN]}", known)
    default = Backoff()
    delay_ms = _pause(asked, "delayMs", 0)
    delay_ms = default.delay_ms if delay_ms is None else delay_ms
    max_ms = _pause(asked, "maxMs", delay_ms)
    # A pause longer than the usual bound was asked for as it is.
    max_ms = max(default.max_ms, delay_ms) if max_ms is None else max_ms
    return Backoff(kind=_kind(asked, default.kind), delay_ms=delay_ms, max_ms=max_ms)


def _pause(asked: Mapping[str, object], field: str, least_ms: int) -> int | None:
    return whole_number(asked, field, least_ms, MAX_BACKOFF_MS, code="invalid_backoff", parent="backoff.")


def _kind(asked: Mapping[str, object], default: BackoffKind) -> BackoffKind:
    kind = asked.get("type", default.value)
    if not isinstance(kind, str) or kind not in _KINDS:
        raise Unprocessable("invalid_backoff", "backoff.type", f"must be one of {', '.join(_KINDS)}")
    return _KINDS[kind]


def _supersedes(body: Mapping[str, object]) -> bool:
    if "dedupe" in body and body["dedupe"] != _DEDUPE:
        raise Unprocessable("invalid_dedupe", "dedupe", f'must be "{_DEDUPE}", or be left out')
    return "dedupe" in body
