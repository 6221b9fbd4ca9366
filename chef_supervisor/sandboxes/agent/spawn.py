"""Starts one step: own session, nothing on stdin, stdout and stderr in one pipe, no shell, none of our descriptors."""

from __future__ import annotations

import os
import resource
import signal
from typing import NoReturn

from .order import LimitOrder

_NOT_FOUND, _CANNOT_RUN = 127, 126


def spawn(argv: list[str], cwd: str, env: dict[str, str], limits: LimitOrder) -> tuple[int, int]:
    """Returns: its process id and the reading end of its output. What cannot be run says so there and exits 126 or 127."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        _become(argv, cwd, env, limits, writing)
    os.close(writing)
    os.set_blocking(reading, False)
    return pid, reading


def _become(argv: list[str], cwd: str, env: dict[str, str], limits: LimitOrder, writing: int) -> NoReturn:
    code = _CANNOT_RUN
    try:
        os.setsid()
        os.dup2(writing, 1)
        os.dup2(writing, 2)
        # Python ignores these two, and what is ignored stays so in the program that we become.
        for ignored in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(ignored, signal.SIG_DFL)
        _limit(limits)
        os.chdir(cwd)
        os.execvpe(argv[0], argv, env)  # noqa: S606  (a shell is what we do not want)
    except FileNotFoundError as error:
        code = _NOT_FOUND
        _tell(argv[0], error)
    except (OSError, ValueError) as error:
        _tell(argv[0], error)
    finally:
        os._exit(code)


def _tell(program: str, error: OSError | ValueError) -> None:
    reason = error.strerror if isinstance(error, OSError) else error
    os.write(2, f"cannot run {program!r}: {reason}\n".encode(errors="backslashreplace"))


def _limit(limits: LimitOrder) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    wanted = {
        resource.RLIMIT_NPROC: limits.nproc,
        resource.RLIMIT_NOFILE: limits.nofile,
        resource.RLIMIT_FSIZE: limits.fsize,
    }
    for kind, most in wanted.items():
        if most:
            _lower(kind, most)
    if limits.nice:
        os.nice(limits.nice)


def _lower(kind: int, most: int) -> None:
    _, hard = resource.getrlimit(kind)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(kind, (most, most))
