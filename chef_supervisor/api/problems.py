"""Error -> answer: the one place that knows statuses. Everything refused is `application/problem+json` (RFC 9457)."""

from __future__ import annotations

import http
import math
from collections.abc import Mapping
from typing import Final

import attrs
import orjson
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ExceptionHandler

from chef_supervisor.api.errors import ForeignOrigin, RequestTimeout, TooManyReaders
from chef_supervisor.domain.artifact_errors import ArtifactGone, ArtifactsUnavailable, NothingToPreview, UnknownArtifact
from chef_supervisor.domain.errors import (
    AlreadyOver,
    BadRequest,
    BaseExpired,
    Bug,
    ChefError,
    CorruptState,
    DependenciesRefused,
    Draining,
    KeyReused,
    Misconfigured,
    NotDurable,
    NotOver,
    NotOverYet,
    QueueFull,
    Rejected,
    SandboxUnavailable,
    SecretsUnreadable,
    StoreFull,
    StoreUnavailable,
    TooLarge,
    Unavailable,
    UnknownJob,
    Unprocessable,
    UnsupportedMedia,
)

MEDIA_TYPE: Final = "application/problem+json"
# Status, and the code of errors that do not carry their own.
STATUS_OF: Final[Mapping[type[ChefError], tuple[int, str]]] = {
    BadRequest: (400, "bad_request"),
    ForeignOrigin: (403, "foreign_origin"),
    UnknownJob: (404, "not_found"),
    UnknownArtifact: (404, "artifact_not_found"),
    NothingToPreview: (404, "nothing_to_preview"),
    RequestTimeout: (408, "request_timeout"),
    AlreadyOver: (409, "already_over"),
    NotOver: (409, "not_over"),
    NotOverYet: (409, "not_over"),
    BaseExpired: (409, "base_expired"),
    ArtifactGone: (410, "artifact_gone"),
    TooLarge: (413, "payload_too_large"),
    UnsupportedMedia: (415, "unsupported_media_type"),
    Unprocessable: (422, "invalid_field"),
    KeyReused: (422, "idempotency_mismatch"),
    Rejected: (422, "rejected"),
    QueueFull: (429, "queue_full"),
    Draining: (503, "draining"),
    ArtifactsUnavailable: (503, "artifacts_unavailable"),
    SandboxUnavailable: (503, "sandbox_unavailable"),
    StoreFull: (503, "store_full"),
    NotDurable: (503, "durability_unconfirmed"),
    StoreUnavailable: (503, "store_unavailable"),
    TooManyReaders: (503, "too_many_readers"),
    Unavailable: (503, "unavailable"),
    # Of workers, where these end a job: no request meets them.
    DependenciesRefused: (500, "internal_error"),
    SecretsUnreadable: (500, "internal_error"),
    Misconfigured: (500, "internal_error"),
    CorruptState: (500, "corrupt_state"),
    Bug: (500, "internal_error"),
    ChefError: (500, "internal_error"),
}
# What is left of the body is not read after these, so the connection cannot be used again; and the server drops the
# connection after an error of ours.
_CLOSING: Final = frozenset({400, 408, 413, 414, 431, 500})
_NO_SUCH_PATH: Final = "there is no such path; the API's documentation, docs/api.md, lists all calls"
_INTERNAL: Final = "something went wrong on our side; it was logged"


@attrs.frozen(kw_only=True)
class Problem:
    """One refusal. `path` names the field that is wrong; `headers` go out with it."""

    status: int
    code: str
    detail: str
    path: str = ""
    headers: Mapping[str, str] = attrs.field(factory=dict)

    def body(self) -> bytes:
        """Returns: the document of RFC 9457, with `code` to switch on."""
        document = {
            "type": f"urn:chef:problem:{self.code}",
            "title": http.HTTPStatus(self.status).phrase,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
        }
        return orjson.dumps(document | ({"path": self.path} if self.path else {}))

    def response(self) -> Response:
        """Returns: the answer that carries it."""
        return Response(self.body(), self.status, self.headers, MEDIA_TYPE)


def problem_of(error: ChefError) -> Problem:
    """Returns: what the caller is told; nothing of our own insides where the fault is ours."""
    status, code = next(STATUS_OF[kind] for kind in type(error).__mro__ if kind in STATUS_OF)
    ours = status == http.HTTPStatus.INTERNAL_SERVER_ERROR
    return Problem(
        status=status,
        code=getattr(error, "code", code),
        detail=_INTERNAL if ours else getattr(error, "detail", str(error)),
        path=getattr(error, "path", ""),
        headers=_headers(status, getattr(error, "retry_after_s", None)),
    )


def _headers(status: int, retry_after_s: float | None) -> dict[str, str]:
    retry = {} if retry_after_s is None else {"Retry-After": str(math.ceil(retry_after_s))}
    return retry | ({"Connection": "close"} if status in _CLOSING else {})


def answer_to(error: Exception) -> Response:
    """Returns: the answer to what a caller did wrong, or has to wait for; raises again what is a fault of ours."""
    if isinstance(error, ClientDisconnect):
        # Nobody reads this: the caller left before the body was whole.
        return Problem(status=400, code="incomplete_body", detail="the body ended early").response()
    problem = problem_of(error) if isinstance(error, ChefError) else None
    if problem is None or problem.status == http.HTTPStatus.INTERNAL_SERVER_ERROR:
        raise error
    return problem.response()


async def _refused(_request: Request, error: Exception) -> Response:
    return answer_to(error)


async def _not_routed(request: Request, error: Exception) -> Response:
    match error:
        case HTTPException(status_code=404):
            return Problem(status=404, code="not_found", detail=_NO_SUCH_PATH).response()
        case HTTPException(status_code=405, headers={"Allow": allow}):
            # Sorted, because Starlette joins a set.
            allowed = ", ".join(sorted(allow.split(", ")))
            detail = f"{request.method} is not allowed here; allowed: {allowed}"
            headers = {"Allow": allowed}
            return Problem(status=405, code="method_not_allowed", detail=detail, headers=headers).response()
        case _:
            raise error


async def _broken(_request: Request, error: Exception) -> Response:
    # Not logged here: the error goes on to the server, which logs it once.
    return problem_of(error if isinstance(error, ChefError) else Bug()).response()


def exception_handlers() -> dict[type[Exception], ExceptionHandler]:
    """Returns: what the app does with each class of error; all others are ours and answer 500."""
    refusals = [kind for kind, (status, _) in STATUS_OF.items() if status != http.HTTPStatus.INTERNAL_SERVER_ERROR]
    handlers: dict[type[Exception], ExceptionHandler] = dict.fromkeys(refusals, _refused)
    return handlers | {HTTPException: _not_routed, ClientDisconnect: _refused, Exception: _broken}
