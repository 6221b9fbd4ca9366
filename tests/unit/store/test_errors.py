from __future__ import annotations

import asyncio
import inspect
import socket

import pytest
from redis import exceptions as redis_errors

from chef_supervisor.domain.errors import Bug, StoreFull, StoreUnavailable
from chef_supervisor.store.errors import REDIS_ERRORS, bounded, is_lost, is_of_a_wrong_server, translate

# Every class of redis.exceptions, by what it means to us. One that a new version brings must be put somewhere.
UNAVAILABLE = {
    "AskError",
    "AuthenticationError",
    "AuthenticationWrongNumberOfArgsError",
    "AuthorizationError",
    "BusyLoadingError",
    "ClusterDownError",
    "ClusterError",
    "ConnectionError",
    "ExternalAuthProviderError",
    "InvalidResponse",
    "MasterDownError",
    "MaxConnectionsError",
    "MovedError",
    "NoPermissionError",
    "NoScriptError",
    "OutOfMemoryError",
    "ReadOnlyError",
    "SlotNotCoveredError",
    "TimeoutError",
    "TryAgainError",
}
BUG = {
    "ChildDeadlockedError",
    "ClusterCrossSlotError",
    "CrossSlotTransactionError",
    "DataError",
    "ExecAbortError",
    "IncorrectPolicyType",
    "InvalidPipelineStack",
    "LockError",
    "LockNotOwnedError",
    "ModuleError",
    "NoSuchFieldsetError",
    "PubSubError",
    "RedisClusterException",
    "RedisError",
    "ResponseError",
    "WatchError",
}
CLASSES = {
    name: found
    for name, found in vars(redis_errors).items()
    if inspect.isclass(found) and issubclass(found, Exception) and found.__module__ == redis_errors.__name__
}


def test_every_error_class_of_redis_is_mapped() -> None:
    assert CLASSES.keys() == UNAVAILABLE | BUG


@pytest.mark.parametrize("name", sorted(CLASSES))
@pytest.mark.asyncio
async def test_an_error_of_redis_leaves_the_store_as_one_of_ours(name: str) -> None:
    error = CLASSES[name]("1234 host:6379")
    expected: type[Exception] = StoreUnavailable if name in UNAVAILABLE else Bug

    with pytest.raises(expected) as raised:
        async with bounded(1):
            raise error

    assert raised.value.__cause__ is error
    assert isinstance(error, REDIS_ERRORS)


@pytest.mark.parametrize(
    "text",
    [
        "OOM command not allowed when used memory > 'maxmemory'.",
        "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
        "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
        "NOREPLICAS Not enough good replicas to write.",
        "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
        "NOAUTH Authentication required.",
        "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)",
        "Error running script (call to f_6e5): @user_script:12: @user_script: 12: -OOM command not allowed when used",
        "Error running script (call to f_6e5): @user_script:3: -READONLY You can't write against a read only replica.",
    ],
)
def test_codes_without_a_class_and_inside_of_scripts_are_known(text: str) -> None:
    assert isinstance(translate(redis_errors.ResponseError(text)), StoreUnavailable)


@pytest.mark.parametrize(
    "error",
    [
        redis_errors.OutOfMemoryError("command not allowed when used memory > 'maxmemory'."),
        redis_errors.ResponseError("OOM command not allowed when used memory > 'maxmemory'."),
        redis_errors.ResponseError("Error running script: @user_script: 12: -OOM command not allowed when used"),
    ],
)
def test_a_full_memory_is_told_from_all_else(error: Exception) -> None:
    assert isinstance(translate(error), StoreFull)
    assert not isinstance(translate(redis_errors.ReadOnlyError("no")), StoreFull)


@pytest.mark.parametrize("name", sorted(UNAVAILABLE))
def test_what_callers_read_has_no_address_in_it(name: str) -> None:
    error = CLASSES[name]("1234 10.1.2.3:6379")
    assert "10.1.2.3" not in str(translate(error))


def test_of_a_broken_way_the_systems_own_word_is_told() -> None:
    """As redis-py raises it: its own text has the address, and the system's error stands behind it."""
    try:
        try:
            raise ConnectionRefusedError(111, "Connect call failed ('10.1.2.3', 6379)")
        except OSError as cause:
            text = "Error 111 connecting to 10.1.2.3:6379."
            raise redis_errors.ConnectionError(text) from cause
    except redis_errors.ConnectionError as error:
        told = str(translate(error))

    assert told.endswith("it cannot be reached (Connection refused)")


def test_an_unknown_name_is_told_without_it() -> None:
    assert "no address" in str(translate(socket.gaierror(-2, "Name or service not known")))


@pytest.mark.parametrize(
    ("error", "wrong"),
    [
        (redis_errors.ReadOnlyError("You can't write against a read only replica."), True),
        (redis_errors.MasterDownError("Link with MASTER is down"), True),
        (redis_errors.ClusterDownError("The cluster is down"), True),
        (redis_errors.ResponseError("MISCONF Redis is configured to save RDB snapshots, but"), True),
        (redis_errors.ResponseError("NOREPLICAS Not enough good replicas to write."), True),
        (redis_errors.ResponseError("LOADING Redis is loading the dataset in memory"), True),
        (redis_errors.OutOfMemoryError("command not allowed"), False),
        (redis_errors.NoScriptError("No matching script."), False),
        (redis_errors.ResponseError("LATE 1700000000000"), False),
        (redis_errors.ResponseError("WRONGTYPE Operation against a key"), False),
    ],
)
def test_a_server_that_is_not_the_right_one_now_is_told_by_its_errors(
    error: redis_errors.ResponseError, *, wrong: bool
) -> None:
    assert is_of_a_wrong_server(error) == wrong


@pytest.mark.parametrize(
    "text",
    [
        "WRONGTYPE Operation against a key holding the wrong kind of value",
        "Error running script (call to f_6e5): @user_script:7: attempt to index a nil value",
        "wrong number of arguments for 'hset' command",
    ],
)
def test_what_is_wrong_with_a_command_is_a_mistake_of_ours(text: str) -> None:
    assert isinstance(translate(redis_errors.ResponseError(text)), Bug)


@pytest.mark.parametrize("error", [ConnectionResetError("gone"), FileNotFoundError("no socket"), TimeoutError()])
def test_errors_of_the_socket_are_unavailable(error: OSError) -> None:
    assert isinstance(translate(error), StoreUnavailable)


@pytest.mark.asyncio
async def test_what_takes_too_long_is_unavailable() -> None:
    with pytest.raises(StoreUnavailable, match="in time"):
        async with bounded(0):
            await asyncio.Event().wait()


@pytest.mark.asyncio
async def test_other_errors_pass() -> None:
    with pytest.raises(KeyError):
        async with bounded(1):
            raise KeyError


def test_only_a_broken_connection_loses_replies() -> None:
    lost = {name for name, found in CLASSES.items() if is_lost(found("1234 host:6379"))}

    assert lost == {"ConnectionError", "TimeoutError"}
    assert is_lost(BrokenPipeError())
