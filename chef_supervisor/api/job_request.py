"""
The body of `POST /api/jobs` -> domain. Strict at the top; in `data` callers may send more than is read.

Parsing and checking are one piece of work, so that a large body can be given to a thread whole.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Final

import attrs

from chef_supervisor.api import telling
from chef_supervisor.api.base_jobs import Changes
from chef_supervisor.api.job_options import FIELDS, Wishes, read_wishes
from chef_supervisor.api.off_loop import off_loop
from chef_supervisor.api.project import Rules, read_project
from chef_supervisor.api.strict_json import parse_json
from chef_supervisor.api.telling import read_subscribers
from chef_supervisor.api.upload import Upload
from chef_supervisor.domain.assignment import Assignment
from chef_supervisor.domain.errors import Unprocessable
from chef_supervisor.domain.job import (
    DEFAULT_PRIORITY,
    HIGHEST_PRIORITY,
    LOWEST_PRIORITY,
    PRIORITY_BY_NAME,
    Idempotency,
    JobType,
    Tenant,
)
from chef_supervisor.domain.subscriber import Subscriber

_KNOWN: Final = ("type", "priority", "data", "cache", *FIELDS, *telling.FIELDS)
_TYPES: Final = {job_type.value: job_type for job_type in JobType}
# Ids of Convex, UUIDs, nanoids, addresses of mail. No `:`, `/`, `{` or `*`: it becomes part of names in Redis.
_CHAT_ID: Final = re.compile(r"[A-Za-z0-9_~@+=-][A-Za-z0-9._~@+=-]{0,127}")
_MAX_SHOWN: Final = 50


@attrs.frozen(kw_only=True)
class JobRequest:
    """
    A job as somebody asks for it.

    `changes`: what is different from an earlier job, whose files `assignment` lacks still; None where it is whole.
    """

    type: JobType
    priority: int
    tenant: Tenant
    wishes: Wishes
    subscribers: tuple[Subscriber, ...]
    idempotency: Idempotency | None
    assignment: Assignment
    changes: Changes | None


async def read_job_request(upload: Upload, rules: Rules, key: str | None) -> JobRequest:
    """
    Returns: what is asked for; the loop turns meanwhile. `key` is the Idempotency-Key that came with it.

    Raises:
        BadRequest: as parse_json.
        Unprocessable: the first field that is wrong, with its path.
        TooLarge: the files are.
    """
    return await off_loop(upload.size_bytes, _read, upload, rules, key)


def _read(upload: Upload, rules: Rules, key: str | None) -> JobRequest:
    asked = parse_json(upload.job)
    if not isinstance(asked, dict):
        raise Unprocessable("invalid_body", "", "send a JSON object with type and data")
    _check_known(asked)
    job_type, priority, wishes, cache = _job_type(asked), _priority(asked), read_wishes(asked), _cache(asked)
    subscribers = read_subscribers(asked, rules.audience)
    data = asked.get("data")
    if not isinstance(data, dict):
        raise Unprocessable("invalid_data", "data", "must be an object with chatId and projectFiles")
    tenant = _chat_id(data.get("chatId"))
    assignment, changes = read_project(data, upload.archive, rules, cache=cache)
    return JobRequest(
        type=job_type,
        priority=priority,
        tenant=tenant,
        wishes=wishes,
        subscribers=subscribers,
        idempotency=None if key is None else Idempotency(key=key, body_sha256=upload.sha256),
        assignment=assignment,
        changes=changes,
    )


def idempotency_of(key: str, body: bytes) -> Idempotency:
    """Returns: the key with the digest of what came with it, byte for byte."""
    return Idempotency(key=key, body_sha256=hashlib.sha256(body).hexdigest())


def _check_known(body: Mapping[str, object]) -> None:
    for key in body:
        if key not in _KNOWN:
            raise Unprocessable("unknown_field", key[:_MAX_SHOWN], f"known here: {', '.join(_KNOWN)}")


def _job_type(body: Mapping[str, object]) -> JobType:
    if "type" not in body:
        raise Unprocessable("missing_field", "type", f"is missing; must be one of {', '.join(_TYPES)}")
    asked = body["type"]
    if not isinstance(asked, str) or asked not in _TYPES:
        raise Unprocessable("invalid_type", "type", f"must be one of {', '.join(_TYPES)}")
    return _TYPES[asked]


def _priority(body: Mapping[str, object]) -> int:
    asked = body.get("priority", DEFAULT_PRIORITY)
    if isinstance(asked, str) and asked in PRIORITY_BY_NAME:
        return PRIORITY_BY_NAME[asked]
    # bool is an int to Python, and 1.0 equals 1: neither is a priority.
    if type(asked) is not int or not LOWEST_PRIORITY <= asked <= HIGHEST_PRIORITY:
        allowed = f"{LOWEST_PRIORITY} to {HIGHEST_PRIORITY}, or {', '.join(PRIORITY_BY_NAME)}"
        raise Unprocessable("invalid_priority", "priority", f"must be a whole number {allowed}")
    return asked


def _cache(body: Mapping[str, object]) -> bool:
    asked = body.get("cache", False)
    if not isinstance(asked, bool):
        raise Unprocessable("invalid_cache", "cache", "must be true or false")
    return asked


def _chat_id(asked: object) -> Tenant:
    if not isinstance(asked, str) or _CHAT_ID.fullmatch(asked) is None:
        detail = "1 to 128 letters, digits and . _ ~ @ + = -, not beginning with a dot"
        raise Unprocessable("invalid_chat_id", "data.chatId", detail)
    return Tenant(asked)
