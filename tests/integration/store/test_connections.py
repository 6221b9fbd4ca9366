"""Which connections are kept: none that leads to a server which is not fit for use, or to one that is gone."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from chef_supervisor.store.config import StoreConfig
from chef_supervisor.store.connect import Lines, make_line
from tests.kit.redis_servers import RedisProcess

pytestmark = pytest.mark.asyncio
PING = [("PING",)]


async def with_idle(config: StoreConfig, count: int) -> Lines:
    """Returns: lines of which so many are open and idle."""
    lines = Lines(lambda: make_line(config))
    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(lines.run(PING))
    assert len(lines._idle) == count
    return lines


async def test_an_error_of_a_command_keeps_them(own_redis: RedisProcess) -> None:
    lines = await with_idle(own_redis.config(), 3)

    [reply] = await lines.run([("NO-SUCH-COMMAND",)])

    assert isinstance(reply, ResponseError)
    assert len(lines._idle) == 3
    await lines.close()


async def test_a_server_that_became_a_replica_loses_all_of_them(own_redis: RedisProcess) -> None:
    lines = await with_idle(own_redis.config(), 3)
    with own_redis.client() as client:
        client.replicaof("127.0.0.1", "1")

        await lines.run([("SET", "key", "value")])

        assert lines._idle == []
        client.replicaof("NO", "ONE")
    assert await lines.run([("SET", "key", "value")]) == [b"OK"]
    await lines.close()


async def test_a_server_that_hangs_loses_all_of_them(own_redis: RedisProcess) -> None:
    """Half open: each of them would cost the next caller its whole patience."""
    lines = await with_idle(own_redis.config(), 3)
    own_redis.pause()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await lines.run(PING)

    assert lines._idle == []
    own_redis.resume()
    await lines.close()


async def test_a_server_that_died_loses_all_of_them(own_redis: RedisProcess) -> None:
    lines = await with_idle(own_redis.config(), 3)
    own_redis.kill()

    with pytest.raises(Exception, match="Connection"):
        await lines.run(PING)

    assert lines._idle == []
    await lines.close()


async def test_connections_tell_whose_they_are_and_do_without_where_that_is_not_allowed(
    own_redis: RedisProcess,
) -> None:
    lines = await with_idle(own_redis.config(), 2)
    with own_redis.client() as client:
        named = [one for one in client.client_list() if one["name"] == "chef-supervisor"]
        client.execute_command("ACL", "SETUSER", "shy", "on", ">secret", "~*", "+@all", "-client")
    shy = Lines(lambda: make_line(own_redis.config(username="shy", password="secret")))

    assert len(named) == 2
    assert await shy.run(PING) == [b"PONG"]
    await lines.close()
    await shy.close()


async def test_one_that_cannot_be_opened_leaves_the_others_alone(own_redis: RedisProcess) -> None:
    """No descriptor is left for it; those that are open are all that there is."""
    lines = await with_idle(own_redis.config(), 1)
    there = lines._idle.pop()

    def make() -> AbstractConnection:
        # Given back in the moment in which another is opened.
        lines._idle.append(there)
        return make_line(StoreConfig(unix_socket="/nowhere"))

    lines.make = make
    with pytest.raises(RedisConnectionError):
        await lines.run(PING)

    assert lines._idle == [there]
    assert await lines.run(PING) == [b"PONG"]
    await lines.close()


async def test_a_silent_peer_is_found_out_by_the_system() -> None:
    """Where nobody waits for it no deadline would be passed."""
    line = make_line(StoreConfig(host="127.0.0.1", port=1))

    assert line.socket_keepalive  # type: ignore[attr-defined]
    assert len(line.socket_keepalive_options) == 3  # type: ignore[attr-defined]
