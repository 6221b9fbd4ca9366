"""What is told of a job as a call of one of the user's functions in Convex."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from typing import Any, Final

import attrs
import orjson

from chef_supervisor import __version__
from chef_supervisor.domain.delivery import Message
from chef_supervisor.webhooks.convex_fitting import fitted
from chef_supervisor.webhooks.convex_values import MOST_LEVELS, storable, weight

# A document may have 1 MiB: so it holds the arguments whole, and what the user's function adds to them.
MOST_BYTES: Final = 900_000

# crates/sync_types/src/path.rs: folders, a module and its export, which is `default` where it is left out.
_FUNCTION: Final = re.compile(r"[A-Za-z0-9_.]+(/[A-Za-z0-9_.]+)*(:[A-Za-z_][A-Za-z0-9_]*)?")
# crates/common/src/version.rs: a name, a hyphen and a semantic version, or it is a 400.
_RELEASE: Final = re.compile(r"\d+\.\d+\.\d+")


class FunctionKind(enum.StrEnum):
    """What the user's functions are; it is the last part of the address that they are called at."""

    MUTATION = "mutation"
    ACTION = "action"


def _is_function(_instance: object, _attribute: object, path: str) -> None:
    if not _FUNCTION.fullmatch(path):
        msg = f"{path!r} is no function of Convex; write it as `jobs:onResult`, which is `onResult` in convex/jobs.ts"
        raise ValueError(msg)


@attrs.frozen(kw_only=True)
class Functions:
    """
    The user's functions: `result` is told of ends, `progress` of starts and progress.

    Raises:
        ValueError: a name is none of a function.
    """

    result: str = attrs.field(default="jobs:onResult", validator=_is_function)
    progress: str = attrs.field(default="jobs:onProgress", validator=_is_function)
    kind: FunctionKind = FunctionKind.MUTATION


@attrs.frozen
class Call:
    """The function that is called, and the request's body: JSON in the plain form that any client may send."""

    function: str
    body: bytes = attrs.field(repr=False)


def client_header(version: str = __version__) -> str:
    """Returns: `Convex-Client` for a version; one that is not semantic (`0.2.0rc1`) counts as its release."""
    release = _RELEASE.match(version)
    return f"chef-supervisor-{release[0] if release else '0.0.0'}"


def call_of(message: Message, functions: Functions) -> Call:
    """Returns: the call that tells of it; its arguments are less than MOST_BYTES, as `arguments` says."""
    function = functions.result if message.kind.terminal else functions.progress
    body = orjson.dumps({"path": function, "format": "json", "args": arguments(message)})
    return Call(function, body)


def arguments(message: Message, most_bytes: int = MOST_BYTES) -> Mapping[str, Any]:
    """
    Returns: what the function is given, storable as one document of at most so many bytes, None left out.

    Where the result had to be cut, `truncated` is true and `resultPath` says where the whole one is.
    """
    args = _what_happened(message)
    if message.result is None:
        return {**args, "resultForgotten": True} if message.forgotten else args
    told = {"truncated": True, "resultPath": f"/api/jobs/{message.job_id}"}
    result, cut = _result(message.result, most_bytes - weight({**args, **told, "result": {}}))
    return {**args, "result": result, **(told if cut else {})}


def _result(encoded: bytes, most_bytes: int) -> tuple[Any, bool]:
    try:
        decoded = orjson.loads(encoded)
    except orjson.JSONDecodeError:
        # Only the job's own page can tell what was meant.
        return {}, True
    # The arguments are the first level.
    result, left_out = storable(decoded, MOST_LEVELS - 1)
    result, cut = fitted(result, most_bytes)
    return result, left_out or cut


def _what_happened(message: Message) -> dict[str, Any]:
    told = {
        "eventId": message.event_id,
        "seq": message.seq,
        "event": message.kind.value,
        "jobId": message.job_id,
        "chatId": message.tenant,
        "type": message.type.value,
        "status": message.status.value,
        "progress": message.progress,
        "runs": message.runs,
        "at": message.at_ms,
        "createdAt": message.created_at_ms,
        "startedAt": message.started_at_ms,
        "finishedAt": message.finished_at_ms,
        "cause": message.cause,
    }
    shaped, _ = storable(told, MOST_LEVELS)
    return dict(shaped)
