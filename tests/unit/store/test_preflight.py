"""What is said of a server, by what INFO and CONFIG GET tell of it."""

from __future__ import annotations

import pytest

from chef_supervisor.store.config import StoreConfig
from chef_supervisor.store.preflight import judge

GOOD = {
    "redis_version": "7.4.2",
    "role": "master",
    "maxmemory": "1000000",
    "used_memory": "1000",
    "maxmemory_policy": "noeviction",
    "aof_enabled": "1",
    "appendfsync": "everysec",
    "stop-writes-on-bgsave-error": "yes",
}
FSYNC = StoreConfig(confirm_on_disk=True)
VOLATILE = StoreConfig(allow_volatile=True)


def test_nothing_speaks_against_a_server_as_it_should_be() -> None:
    found = judge(GOOD, StoreConfig())

    assert (found.refusals, found.warnings) == ((), ())


@pytest.mark.parametrize(
    ("wrong", "config", "told"),
    [
        ({"redis_version": "6.0.16"}, StoreConfig(), "6.2 or newer"),
        ({"redis_version": "5.0"}, StoreConfig(), "6.2 or newer"),
        ({"redis_version": "?"}, StoreConfig(), "6.2 or newer"),
        ({"role": "slave"}, StoreConfig(), "primary"),
        ({"maxmemory_policy": "allkeys-lru"}, StoreConfig(), "maxmemory-policy noeviction"),
        ({"maxmemory_policy": "volatile-ttl"}, StoreConfig(), "maxmemory-policy noeviction"),
        ({"aof_enabled": "0"}, StoreConfig(), "CHEF_REDIS_ALLOW_VOLATILE"),
        ({"redis_version": "7.0.15"}, FSYNC, "7.2 or newer"),
        ({"redis_version": "6.2.5"}, FSYNC, "7.2 or newer"),
        ({"aof_enabled": "0"}, StoreConfig(confirm_on_disk=True, allow_volatile=True), "append-only file"),
        ({"appendfsync": "no"}, FSYNC, "always or everysec"),
    ],
)
def test_a_server_that_cannot_keep_the_promises_is_refused(
    wrong: dict[str, str], config: StoreConfig, told: str
) -> None:
    [refusal] = judge(GOOD | wrong, config).refusals

    assert told in refusal


@pytest.mark.parametrize(
    ("odd", "config", "told"),
    [
        ({"maxmemory": "0"}, StoreConfig(), "set maxmemory"),
        ({"used_memory": "900001"}, StoreConfig(), "90 %"),
        ({"stop-writes-on-bgsave-error": "no"}, StoreConfig(), "stop-writes-on-bgsave-error yes"),
        ({"appendfsync": "no"}, StoreConfig(), "appendfsync no"),
        ({"aof_enabled": "0"}, VOLATILE, "may lose all jobs"),
        ({"redis_version": "6.2.5"}, StoreConfig(), "7.0 or newer"),
        ({}, FSYNC, "appendfsync always"),
    ],
)
def test_a_server_that_could_do_better_is_taken_with_a_warning(
    odd: dict[str, str], config: StoreConfig, told: str
) -> None:
    found = judge(GOOD | odd, config)

    assert found.refusals == ()
    assert [told in warning for warning in found.warnings] == [True]


def test_a_policy_that_never_comes_to_bear_is_a_warning() -> None:
    found = judge(GOOD | {"maxmemory": "0", "maxmemory_policy": "allkeys-lru"}, StoreConfig())

    assert found.refusals == ()
    assert any("maxmemory-policy noeviction" in warning for warning in found.warnings)


def test_all_faults_are_told_at_once() -> None:
    wrong = {"redis_version": "6.0.1", "role": "slave", "maxmemory_policy": "allkeys-lru", "aof_enabled": "0"}

    assert len(judge(GOOD | wrong, FSYNC).refusals) == 5


def test_what_config_does_not_tell_is_not_held_against_a_server() -> None:
    """A managed Redis: INFO is allowed, CONFIG is not."""
    managed = {
        name: value for name, value in GOOD.items() if name not in {"appendfsync", "stop-writes-on-bgsave-error"}
    }

    assert judge(managed, FSYNC).refusals == ()


@pytest.mark.parametrize(
    ("fields", "config", "loss"),
    [
        ({}, StoreConfig(), "may lose the jobs of the last second"),
        ({}, FSYNC, "loses no accepted job"),
        ({"appendfsync": "always"}, StoreConfig(), "loses no accepted job"),
        ({"appendfsync": "no"}, StoreConfig(), "may lose the newest jobs"),
        ({"aof_enabled": "0"}, VOLATILE, "may lose all jobs"),
    ],
)
def test_what_a_crash_costs_is_told(fields: dict[str, str], config: StoreConfig, loss: str) -> None:
    assert judge(GOOD | fields, config).loss == loss
