"""Settings: the contract's names and defaults, and faults told all at once."""

import pytest

from chef_supervisor.domain.errors import Misconfigured
from chef_supervisor.domain.job import JobType
from chef_supervisor.settings import (
    CONTRACT_NAMES,
    ConvexKind,
    Durability,
    Environment,
    Role,
    SandboxKind,
    default_config,
    load,
)


def test_the_defaults_are_those_of_the_contract() -> None:
    settings = load({})

    assert (settings.redis.host, settings.redis.port) == ("localhost", 6379)
    assert (settings.http.host, settings.http.port) == ("127.0.0.1", 3001)
    assert settings.process.environment is Environment.DEVELOPMENT
    assert settings.process.role is Role.ALL
    assert settings.worker.memory_limit == 512 << 20
    assert settings.worker.cpu_limit == 1.0
    assert settings.worker.timeout_ms == 300_000
    assert settings.worker.max_concurrent == 5
    assert settings.sandbox.kind is SandboxKind.AUTO


@pytest.mark.parametrize(
    ("name", "value", "section", "key", "expected"),
    [
        ("REDIS_HOST", "redis", "redis", "host", "redis"),
        ("REDIS_PORT", "6400", "redis", "port", 6400),
        ("PORT", "8080", "http", "port", 8080),
        ("NODE_ENV", "bench", "process", "environment", Environment.BENCH),
        ("WORKER_MEMORY_LIMIT", "1g", "worker", "memory_limit", 1 << 30),
        ("WORKER_CPU_LIMIT", "0.5", "worker", "cpu_limit", 0.5),
        ("WORKER_TIMEOUT", "1000", "worker", "timeout_ms", 1000),
        ("MAX_CONCURRENT_WORKERS", "7", "worker", "max_concurrent", 7),
        ("CHEF_CONVEX_KIND", "action", "convex", "kind", ConvexKind.ACTION),
        ("CHEF_CONVEX_RESULT_FUNCTION", "hooks/jobs:done", "convex", "result_function", "hooks/jobs:done"),
        ("CHEF_WEBHOOKS_CONCURRENCY", "3", "webhooks", "concurrency", 3),
        ("CHEF_WEBHOOKS_CALLBACK_PROGRESS", "false", "webhooks", "callback_progress", False),
        ("CHEF_HOST", "0.0.0.0", "http", "host", "0.0.0.0"),
        ("CHEF_ROLE", "api", "process", "role", Role.API),
        ("CHEF_INSTANCE", "rack-1.worker_2", "process", "instance", "rack-1.worker_2"),
        ("CHEF_SANDBOX_SWEEP_S", "7", "sandbox", "sweep_s", 7.0),
        ("CHEF_SANDBOX", "bubblewrap", "sandbox", "kind", SandboxKind.BUBBLEWRAP),
        ("CHEF_CORS_ORIGINS", "https://a.example, local", "http", "cors_origins", ("https://a.example", "local")),
        ("CHEF_QUEUE_LEASE_S", "30", "queue", "lease_s", 30.0),
        ("CHEF_REDIS_ALLOW_VOLATILE", "true", "redis", "allow_volatile", True),
        ("CHEF_REDIS_ALLOW_VOLATILE", "0", "redis", "allow_volatile", False),
        ("CHEF_REDIS_DURABILITY", "fsync", "redis", "durability", Durability.FSYNC),
    ],
)
def test_the_environment_wins_over_the_file(name: str, value: str, section: str, key: str, expected: object) -> None:
    settings = load({name: value})

    assert getattr(getattr(settings, section), key) == expected


def test_a_queue_is_chosen_by_configuration() -> None:
    settings = load({"CHEF_QUEUES_LINT_TYPES": "lint", "CHEF_QUEUES_TESTS_TYPES": "test,analyze"})

    assert settings.queue_for(JobType.ANALYZE) == "tests"


def test_every_fault_is_told_at_once_with_name_and_value() -> None:
    env = {"PORT": "x", "WORKER_MEMORY_LIMIT": "lots", "CHEF_QUEUE_RENEW_S": "9", "NODE_ENV": "prod"}

    with pytest.raises(Misconfigured) as refused:
        load(env | {"CHEF_FOO": "1"})

    told = str(refused.value)
    assert len(refused.value.faults) == len(env) + 1
    assert "CHEF_FOO: no such setting" in told
    assert all(f"{name}={value!r}" in told for name, value in env.items())


def test_a_type_that_two_queues_take_is_a_fault() -> None:
    with pytest.raises(Misconfigured, match="exactly one"):
        load({"CHEF_QUEUES_BUILDS_TYPES": "build,test"})


def test_a_password_is_never_shown() -> None:
    settings = load({"CHEF_REDIS_PASSWORD": "hunter2"})

    assert "hunter2" not in repr(settings)


def test_names_of_other_programs_are_none_of_our_affair() -> None:
    load(
        {
            "PATH": "/bin",
            "CHEF_URL": "https://x",
            "CHEF_REQUIRE_DOCKER": "1",
            "CHEF_TEST_REDIS_IMAGE": "x",
            "CONVEX_SITE_URL": "https://x",
        }
    )


def test_the_state_folder_is_the_users() -> None:
    settings = load({"XDG_STATE_HOME": "/somewhere"})

    assert settings.process.state_dir == "/somewhere/chef-supervisor"


def test_the_example_environment_holds_the_defaults() -> None:
    lines = (default_config() / ".env.example").read_text().splitlines()
    example = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))

    assert load(example) == load({})


def test_every_name_of_the_contract_is_documented() -> None:
    documented = (default_config().parent / "docs" / "configuration.md").read_text()

    assert [name for name in CONTRACT_NAMES if f"`{name}`" not in documented] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WORKER_MEMORY_LIMIT", "512"),
        ("WORKER_MEMORY_LIMIT", "99999999g"),
        ("CHEF_QUEUES_LINT_SLOTS", "-3"),
        ("CHEF_REDIS_DATABASE", "-1"),
        ("CHEF_REDIS_KEY_PREFIX", "a{b"),
        ("CHEF_INSTANCE", ".."),
        ("CHEF_INSTANCE", "a/b"),
        ("CHEF_INSTANCE", "a" * 65),
        ("CHEF_SANDBOX_PING_S", "0"),
        ("WORKER_TIMEOUT", "0"),
        ("REDIS_PORT", "65536"),
        ("CHEF_REDIS_ALLOW_VOLATILE", "maybe"),
        ("CHEF_REDIS_DURABILITY", "always"),
        ("CHEF_CONVEX_KIND", "query"),
        ("CHEF_WEBHOOKS_CONCURRENCY", "0"),
    ],
)
def test_a_value_that_could_not_work_is_a_fault(name: str, value: str) -> None:
    with pytest.raises(Misconfigured, match=name):
        load({name: value})


def test_settings_of_different_sections_that_cannot_go_together_are_a_fault() -> None:
    with pytest.raises(Misconfigured, match=r"redis.command_timeout_s=3: must be less than queue.lease_s \(3\)"):
        load({"CHEF_REDIS_COMMAND_TIMEOUT_S": "3", "CHEF_QUEUE_LEASE_S": "3", "CHEF_QUEUE_RENEW_S": "1"})


def test_reaping_that_would_be_taken_for_an_outage_is_a_fault() -> None:
    with pytest.raises(Misconfigured, match=r"CHEF_QUEUE_REAP_S='4': must be at most a third of queue\.lease_s"):
        load({"CHEF_QUEUE_REAP_S": "4"})
