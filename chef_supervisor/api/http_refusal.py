"""What a connection is told before the app ever sees its request: problems too, written as bytes."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from chef_supervisor.api.problems import MEDIA_TYPE, Problem


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
    return Problem(status=400, code="bad_request", detail="this is not HTTP/1.1")


def raw_answer(problem: Problem) -> bytes:
    """Returns: the whole answer; the connection ends with it."""
    body = problem.body()
    head = f"content-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\nx-content-type-options: nosniff\r\n"
    retry = "retry-after: 1\r\n" if problem.status == 503 else ""
    return STATUS_LINE[problem.status] + f"{head}{retry}connection: close\r\n\r\n".encode() + body
