"""What a connection is told before the app ever sees its request: problems too, written as bytes."""

from __future__ import annotations

from typing import Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from chef_supervisor.api.problems import MEDIA_TYPE, Problem

# Said of every way to tell a body's length that a proxy before us may have read otherwise than we would.
FRAMING: Final = "tell the length of the body once: by one Content-Length, or by Transfer-Encoding: chunked alone"


class RefusedError(Exception):
    """Carries a problem out of a callback of the parser."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.problem = Problem(status=status, code=code, detail=detail)


def problem_of_parser(error: Exception) -> Problem:
    """Returns: what a callback refused, or that the bytes are none of HTTP."""
    cause = error if isinstance(error, RefusedError) else error.__context__
    if isinstance(cause, RefusedError):
        return cause.problem
    # What the parser says are constants of its own, nothing of what was sent.
    of_framing = "Content-Length" in str(error) or "Transfer-Encoding" in str(error)
    return Problem(status=400, code="bad_request", detail=FRAMING if of_framing else "this is not HTTP/1.1")


def raw_answer(problem: Problem) -> bytes:
    """Returns: the whole answer; the connection ends with it."""
    body = problem.body()
    head = f"content-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\nx-content-type-options: nosniff\r\n"
    retry = "retry-after: 1\r\n" if problem.status == 503 else ""
    return STATUS_LINE[problem.status] + f"{head}{retry}connection: close\r\n\r\n".encode() + body
