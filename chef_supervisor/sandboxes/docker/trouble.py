"""Every error that docker-py can raise, as the one error of ours, with a sentence that says what to do."""

from __future__ import annotations

import http.client
from typing import Final

import docker.errors
import requests.exceptions
import urllib3.exceptions

from chef_supervisor.domain.errors import SandboxUnavailable

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


def unavailable(error: Exception, doing: str) -> SandboxUnavailable:
    """Returns: the error for whoever asked; `doing` completes "cannot ..."."""
    if isinstance(error, docker.errors.ImageNotFound):
        return SandboxUnavailable(f"cannot {doing}: no such image here; build it with scripts/images runner")
    if isinstance(error, docker.errors.APIError):
        return SandboxUnavailable(f"cannot {doing}: the Docker Engine says: {error.explanation or error}")
    if _was_forbidden(error):
        return SandboxUnavailable(f"cannot {doing}: this user may not use the Docker Engine; add it to its group")
    if isinstance(error, TimeoutError | requests.exceptions.Timeout):
        return SandboxUnavailable(f"cannot {doing}: the Docker Engine did not answer in time; look at its log")
    return SandboxUnavailable(f"cannot {doing}: no Docker Engine answers; start it, or set DOCKER_HOST ({error})")


def _was_forbidden(error: BaseException | None) -> bool:
    """Returns: whether a PermissionError is behind it; requests and urllib3 wrap it several times."""
    seen = 0
    while error is not None and seen < 10:
        if isinstance(error, PermissionError):
            return True
        error, seen = error.__cause__ or error.__context__, seen + 1
    return False
