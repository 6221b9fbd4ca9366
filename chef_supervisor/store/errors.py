"""
What the errors of Redis mean to the service: wait (StoreUnavailable) or a mistake of ours (Bug).

Nothing of `redis.exceptions` leaves the store but as a cause.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Final

from redis import exceptions as redis_errors
from redis.exceptions import ResponseError

from chef_supervisor.domain.errors import Bug, CorruptState, StoreFull, StoreUnavailable
from chef_supervisor.kernel import Within
from chef_supervisor.store.sentences import FULL, sentence_of, way_broke

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


def is_of_a_wrong_server(error: ResponseError) -> bool:
    """Whether it came because of what the server is now (read-only, loading, ...) and not because of the command."""
    meaning = translate(error)
    of_the_command = isinstance(error, redis_errors.NoScriptError) or str(error).startswith("LATE ")
    return isinstance(meaning, StoreUnavailable) and not isinstance(meaning, StoreFull) and not of_the_command


def translate(error: Exception) -> StoreUnavailable | Bug:
    """Returns: the error of the domain, to be raised from the given one."""
    if isinstance(error, TimeoutError):
        return StoreUnavailable("it did not answer in time")
    sentence = sentence_of(error)
    if sentence == FULL:
        return StoreFull(sentence)
    if sentence is not None:
        return StoreUnavailable(sentence)
    if isinstance(error, _UNAVAILABLE):
        return StoreUnavailable(f"it cannot be reached ({way_broke(error)})")
    return Bug(f"Redis refused a command: {str(error) or type(error).__name__}")


def translated(error: Exception) -> StoreUnavailable | Bug:
    """Returns: the same, with the given error as its cause, for an error that is handed over and not raised."""
    own = translate(error)
    own.__cause__ = error
    return own


class Bounded(Within):
    """See `bounded`."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            await super().__aexit__(kind, error, traceback)
        except TimeoutError as late:
            raise translate(late) from late
        if isinstance(error, (*REDIS_ERRORS, OSError)):
            raise translate(error) from error


def bounded(timeout_s: float) -> Bounded:
    """
    Bound and translate what is done inside.

    Raises:
        StoreUnavailable: it took longer than `timeout_s`, or Redis is not fit for use.
        Bug: Redis refused a command.
    """
    return Bounded(timeout_s)


@contextmanager
def of_job(job_id: str) -> Iterator[None]:
    """
    Name the job whose keys are read inside.

    Raises:
        CorruptState: they hold something else than what is written there.
    """
    try:
        yield
    except Bug as error:
        raise CorruptState(job_id, str(error)) from error
