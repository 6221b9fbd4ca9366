"""A crash may tear the last script in the append-only file; half of it must not be there at the next start, or later."""

from __future__ import annotations

from pathlib import Path

import pytest

from chef_supervisor.store.embedded_repair import cut_torn_end
from tests.kit.redis_servers import REDIS_8, REDIS_62, RedisProcess, running_process


@pytest.mark.parametrize("name", [REDIS_62, REDIS_8])
def test_wherever_it_is_torn_half_a_script_is_not_there_at_the_first_start_nor_at_the_second(name: str) -> None:
    with running_process(name) as redis:
        _run_script(redis, "before", "whole")
        redis.kill()
        whole = _file(redis).read_bytes()
        redis.start()
        _run_script(redis, "half", "x" * 50, "tail")
        redis.kill()
        torn = _file(redis).read_bytes()

        # At every byte of the script would take minutes; a prime finds a place of every kind.
        for size in [*range(len(whole), len(torn), 23), len(torn) - 1]:
            _file(redis).write_bytes(torn[:size])
            for keys in ({b"before", b"whole"}, {b"before", b"whole", b"after", b"all"}):
                redis.start()
                with redis.client() as client:
                    assert set(client.keys("*")) == keys, f"torn at {size} of {len(torn)}"
                _run_script(redis, "after", "all")
                redis.kill()


@pytest.mark.parametrize("name", [REDIS_62, REDIS_8])
def test_what_is_whole_or_broken_in_another_way_is_not_touched(name: str) -> None:
    with running_process(name) as redis:
        _run_script(redis, "before", "whole")
        _run_script(redis, "after", "all")
        redis.kill()
        whole = _file(redis).read_bytes()

        for content in (whole, whole.replace(b"$6\r\nbefore", b"$9\r\nbefore"), whole.replace(b"*3", b"*x", 1)):
            _file(redis).write_bytes(content)
            cut_torn_end(redis.program, redis.folder)
            assert _file(redis).read_bytes() == content


def _run_script(redis: RedisProcess, *keys: str) -> None:
    with redis.client() as client:
        client.eval("for _, key in ipairs(KEYS) do redis.call('SET', key, 1) end", len(keys), *keys)


def _file(redis: RedisProcess) -> Path:
    [file] = [*redis.folder.glob("appendonly.aof"), *redis.folder.glob("appendonlydir/*.incr.aof")]
    return file
