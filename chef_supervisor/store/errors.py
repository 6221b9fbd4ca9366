"""
What the errors of Redis mean to the service: wait (StoreUnavailable) or a mistake of ours (Bug).

Nothing of `redis.exceptions` leaves the store.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from redis import exceptions as redis_errors

from chef_supervisor.domain.errors import Bug, StoreUnavailable

# All that redis-py raises; it has no common base.
REDIS_ERRORS: Final = (
    redis_errors.RedisError,
    redis_errors.RedisClusterException,
    redis_errors.ChildDeadlockedError,
    redis_errors.IncorrectPolicyType,
)
# The server or the way to it is not fit for use now, or not the one we should talk to.
_UNAVAILABLE: Final = (
    redis_errors.ConnectionError,
    redis_errors.TimeoutError,
    redis_errors.InvalidResponse,
    redis_errors.NoScriptError,
    redis_errors.OutOfMemoryError,
    redis_errors.ReadOnlyError,
    redis_errors.NoPermissionError,
    redis_errors.AuthenticationWrongNumberOfArgsError,
    redis_errors.ClusterError,
    redis_errors.AskError,
    redis_errors.TryAgainError,
    redis_errors.SlotNotCoveredError,
    OSError,
)
# Codes that redis-py has no class for, and those that Redis 6.2 wraps into the text of a script's error.
_UNAVAILABLE_CODE: Final = re.compile(
    r"(?:^|[ -])(OOM|MISCONF|READONLY|LOADING|MASTERDOWN|CLUSTERDOWN|NOREPLICAS|BUSY|UNKILLABLE|NOAUTH|WRONGPASS"
    r"|NOPERM|TRYAGAIN|FAILOVER|UNBLOCKED) "
)
# The connection broke before the reply was read: nobody knows whether the command was executed.
_LOST: Final = (redis_errors.ConnectionError, redis_errors.TimeoutError, OSError)
# Connection errors that are an answer.
_REFUSED: Final = (
    redis_errors.AuthenticationError,
    redis_errors.AuthorizationError,
    redis_errors.BusyLoadingError,
    redis_errors.ExternalAuthProviderError,
    redis_errors.MaxConnectionsError,
)


def is_lost(error: Exception) -> bool:
    """Whether the command may have been executed although no reply came, so that it must be replayed."""
    return isinstance(error, _LOST) and not isinstance(error, _REFUSED)


def translate(error: Exception) -> StoreUnavailable | Bug:
    """Returns: the error of the domain, to be raised from the given one."""
    text = str(error) or type(error).__name__
    if isinstance(error, TimeoutError):
        return StoreUnavailable("it did not answer in time")
    if isinstance(error, _UNAVAILABLE) or _UNAVAILABLE_CODE.search(text):
        return StoreUnavailable(text)
    return Bug(f"Redis refused a command: {text}")


def translated(error: Exception) -> StoreUnavailable | Bug:
    """Returns: the same, with the given error as its cause, for an error that is handed over and not raised."""
    own = translate(error)
    own.__cause__ = error
    return own


@asynccontextmanager
async def bounded(timeout_s: float) -> AsyncIterator[None]:
    """
    Bound and translate what is done inside.

    Raises:
        StoreUnavailable: it took longer than `timeout_s`, or Redis is not fit for use.
        Bug: Redis refused a command.
    """
    try:
        async with asyncio.timeout(timeout_s):
            yield
    except (*REDIS_ERRORS, OSError) as error:
        raise translate(error) from error
