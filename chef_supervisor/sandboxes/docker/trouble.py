"""Every error that docker-py can raise, as the one error of ours, with a sentence that says what to do."""

from __future__ import annotations

import errno
import http.client
import logging
import os
import socket
import ssl
from collections.abc import Iterator
from typing import Final

import docker.errors
import requests.exceptions
import urllib3.exceptions

from chef_supervisor.domain.errors import SandboxUnavailable

_log: Final = logging.getLogger(__name__)
_DEEPEST: Final = 10
# docker-py lets those of requests, urllib3 and the socket through.
TROUBLE: Final[tuple[type[Exception], ...]] = (
    docker.errors.DockerException,
    docker.errors.StreamParseError,
    requests.exceptions.RequestException,
    urllib3.exceptions.HTTPError,
    urllib3.exceptions.ProxySchemeUnsupported,
    http.client.HTTPException,
    OSError,
)


class EngineFault(docker.errors.DockerException):
    """The engine, or where it is said to be, is not as it should be; the text is ours, and may be told to anybody."""


def unavailable(error: Exception, doing: str) -> SandboxUnavailable:
    """
    Returns: the error for whoever asked; `doing` completes "cannot ...".

    Callers of the API are told it too, so it names neither the address of the engine nor a path.
    """
    _log.debug("cannot %s: %s", doing, error)
    if isinstance(error, docker.errors.ImageNotFound):
        return SandboxUnavailable(f"cannot {doing}: no such image here; build it with scripts/images runner")
    if isinstance(error, docker.errors.APIError):
        return SandboxUnavailable(f"cannot {doing}: the Docker Engine says: {error.explanation or error.status_code}")
    if isinstance(error, EngineFault):
        return SandboxUnavailable(f"cannot {doing}: {error}")
    if _was_forbidden(error):
        return SandboxUnavailable(f"cannot {doing}: this user may not use the Docker Engine; add it to its group")
    if isinstance(error, TimeoutError | requests.exceptions.Timeout):
        return SandboxUnavailable(f"cannot {doing}: the Docker Engine did not answer in time; look at its log")
    return SandboxUnavailable(f"cannot {doing}: no Docker Engine answers; start it, or set DOCKER_HOST ({_why(error)})")


def _was_forbidden(error: BaseException) -> bool:
    return any(isinstance(behind, PermissionError) for behind in _chain(error))


def _why(error: BaseException) -> str:
    """Returns: what the system says; the texts of docker-py and requests name addresses."""
    return next((text for behind in _chain(error) if (text := _words_of(behind))), type(error).__name__)


def _words_of(error: BaseException) -> str | None:
    match error:
        case socket.gaierror():
            return "no address for its name"
        case ssl.SSLError():
            return f"TLS: {error.reason or type(error).__name__}"
        case OSError(errno=int(number)) if number in errno.errorcode:
            return os.strerror(number)
        case _:
            return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yields: the error and what is behind it; requests and urllib3 wrap the system's several times."""
    for _ in range(_DEEPEST):
        if error is None:
            return
        yield error
        error = error.__cause__ or error.__context__
