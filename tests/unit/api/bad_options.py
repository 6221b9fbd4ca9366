"""Options and keys that must be refused: what is sent beside a good job, and the code expected."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tests.unit.api.api_kit import job_body
from tests.unit.api.bad_requests import Bad, bad_fields, each

_NO_NUMBERS: tuple[Any, ...] = (True, False, "1000", 5000.0, [], {}, -1, 2**63, 2**64 - 1)
_NO_KINDS: tuple[Any, ...] = ("FIXED", "", 1, [], True, None, "linear")
_WEEK_MS = 7 * 86_400_000


def _nulls(**codes: str) -> list[Bad]:
    return [
        Bad(name=f"{field} null", body=orjson.dumps(job_body() | {field: None}), status=422, code=code, path=field)
        for field, code in codes.items()
    ]


def _backoffs(path: str, values: list[dict[str, Any]], code: str = "invalid_backoff") -> list[Bad]:
    return bad_fields(code, path, each("backoff", values))


def _keys(*keys: str) -> list[Bad]:
    json = {"content-type": "application/json"}
    return [
        Bad(
            name=f"key {key[:20]!r} of {len(key)}",
            body=orjson.dumps(job_body()),
            status=400,
            code="invalid_idempotency_key",
            headers=json | {"idempotency-key": key},
        )
        for key in keys
    ]


BAD_OPTIONS = [
    *bad_fields("invalid_timeout", "timeoutMs", each("timeoutMs", (*_NO_NUMBERS, 0, 999, 1_800_001))),
    *bad_fields("invalid_timeout", "stepTimeoutMs", each("stepTimeoutMs", (*_NO_NUMBERS, 0, 999, 1_800_001))),
    *bad_fields("invalid_timeout", "stepTimeoutMs", {"more than all": {"timeoutMs": 5000, "stepTimeoutMs": 5001}}),
    *bad_fields("invalid_attempts", "attempts", each("attempts", (*_NO_NUMBERS, 0, 11))),
    *bad_fields("invalid_delay", "delayMs", each("delayMs", (*_NO_NUMBERS, _WEEK_MS + 1))),
    *bad_fields(
        "invalid_dedupe", "dedupe", each("dedupe", (True, False, "LATEST", "first", "", [], ["latest"], {}, 1))
    ),
    *bad_fields("invalid_backoff", "backoff", each("backoff", (True, 1, 1.5, "fixed", [], [{}]))),
    *_backoffs("backoff.type", [{"type": kind} for kind in _NO_KINDS]),
    *_backoffs("backoff.delayMs", [{"delayMs": delay} for delay in (*_NO_NUMBERS, None, 3_600_001)]),
    *_backoffs("backoff.maxMs", [{"maxMs": most} for most in (*_NO_NUMBERS, None, 999, 3_600_001)]),
    *_backoffs("backoff.maxMs", [{"delayMs": 5000, "maxMs": 4999}]),
    *_backoffs("backoff.jitter", [{"type": "fixed", "jitter": 1}], "unknown_field"),
    *_nulls(
        timeoutMs="invalid_timeout",
        stepTimeoutMs="invalid_timeout",
        attempts="invalid_attempts",
        backoff="invalid_backoff",
        delayMs="invalid_delay",
        dedupe="invalid_dedupe",
    ),
    *_keys("", "k" * 256, "a b", "a\tb"),
]

PARAMETERS = [pytest.param(bad, id=f"{bad.path} {bad.code}: {bad.name}"[:70]) for bad in BAD_OPTIONS]
