"""Reads `config/default.toml` and the environment into Settings; tells every fault at once, with name and value."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar, get_type_hints

import attrs

from chef_supervisor.domain.errors import Misconfigured
from chef_supervisor.domain.job import JobType, QueueName
from chef_supervisor.settings.convert import make_converter
from chef_supervisor.settings.schema import QueueSpec, Settings

T = TypeVar("T")
_PREFIX: Final = "CHEF_"
# The names that callers of the service already use, and short ones for what is set most often.
CONTRACT_NAMES: Final[Mapping[str, str]] = {
    "REDIS_HOST": "redis.host",
    "REDIS_PORT": "redis.port",
    "PORT": "http.port",
    "NODE_ENV": "process.environment",
    "WORKER_MEMORY_LIMIT": "worker.memory_limit",
    "WORKER_CPU_LIMIT": "worker.cpu_limit",
    "WORKER_TIMEOUT": "worker.timeout_ms",
    "MAX_CONCURRENT_WORKERS": "worker.max_concurrent",
    "CONVEX_URL": "convex.url",
    "CONVEX_DEPLOY_KEY": "convex.deploy_key",
    "CHEF_HOST": "http.host",
    "CHEF_ROLE": "process.role",
    "CHEF_INSTANCE": "process.instance",
    "CHEF_STATE_DIR": "process.state_dir",
    "CHEF_SANDBOX": "sandbox.kind",
    "CHEF_EXTRA_CA_CERTS": "sandbox.extra_ca_certs",
    "CHEF_CORS_ORIGINS": "http.cors_origins",
}
_MASKED: Final = frozenset(
    {
        *("redis.password", "secrets.key", "convex.deploy_key"),
        # An address may hold a token.
        *("webhooks.url", "webhooks.secrets", "webhooks.callback_secrets"),
    }
)
# Read by the client, scripts, compose and tests, not by the service.
_NOT_OURS: Final = frozenset({"CHEF_URL", "CHEF_REQUIRE_DOCKER", "CHEF_REDIS_IMAGE"})
_NOT_OURS_PREFIXES: Final = ("CHEF_TEST_",)


@attrs.define
class _Reading:
    """What has been read so far: the raw values, where each came from, and the faults found."""

    tree: dict[str, Any]
    origin: dict[str, str] = attrs.field(factory=dict)
    faults: list[str] = attrs.field(factory=list)
    converter: Any = attrs.field(factory=make_converter)


def default_config() -> Path:
    """Returns: the folder with `default.toml` and `toolchains/`: beside the package in a checkout, else inside it."""
    package = Path(__file__).parent.parent
    beside = package.parent / "config"
    return beside if (beside / "default.toml").is_file() else package / "config"


def load(env: Mapping[str, str], config_dir: Path | None = None) -> Settings:
    """
    Returns: the settings in force. The environment wins over the file.

    Raises:
        Misconfigured: with every fault at once.
    """
    with ((config_dir or default_config()) / "default.toml").open("rb") as file:
        reading = _Reading(tree=tomllib.load(file))
    _overlay(reading, env)
    settings = _read_all(reading)
    if settings is None or reading.faults:
        raise Misconfigured(tuple(reading.faults))
    return settings if settings.process.state_dir else _with_state_dir(settings, env)


def _with_state_dir(settings: Settings, env: Mapping[str, str]) -> Settings:
    # Source: XDG Base Directory Specification, XDG_STATE_HOME.
    base = env.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    state_dir = str(Path(base) / "chef-supervisor")
    return attrs.evolve(settings, process=attrs.evolve(settings.process, state_dir=state_dir))


def _overlay(reading: _Reading, env: Mapping[str, str]) -> None:
    known = {_PREFIX + path.replace(".", "_").upper(): path for path in _paths(reading.tree)} | dict(CONTRACT_NAMES)
    for name, value in sorted(env.items()):
        if name in known:
            _put(reading, known[name], name, value)
        elif name.startswith(_PREFIX) and name not in _NOT_OURS and not name.startswith(_NOT_OURS_PREFIXES):
            reading.faults.append(_unknown(name, known))


def _unknown(name: str, known: Iterable[str]) -> str:
    # Its value is not shown: it may be that of a secret whose name was mistyped.
    nearest = difflib.get_close_matches(name, known, n=1)
    meant = f"did you mean {nearest[0]}? " if nearest else ""
    return f"{name}: no such setting; {meant}docs/configuration.md lists them all"


def _paths(tree: Mapping[str, Any], above: str = "") -> list[str]:
    paths: list[str] = []
    for key, value in tree.items():
        paths += _paths(value, f"{above}{key}.") if isinstance(value, dict) else [f"{above}{key}"]
    return paths


def _put(reading: _Reading, path: str, name: str, value: str) -> None:
    *sections, key = path.split(".")
    node = reading.tree
    for section in sections:
        node = node[section]
    node[key] = value
    reading.origin[path] = name


def _read_all(reading: _Reading) -> Settings | None:
    sections: dict[str, Any] = {}
    for name, kind in get_type_hints(Settings).items():
        raw = reading.tree.pop(name, {})
        sections[name] = _read_queues(reading, raw) if name == "queues" else _read(reading, name, raw, kind)
    reading.faults += [f"{name}: no such section" for name in reading.tree]
    if any(section is None for section in sections.values()):
        return None
    settings = Settings(**sections)
    reading.faults += _contradictions(settings)
    return settings


def _contradictions(settings: Settings) -> list[str]:
    """Returns: what is wrong with settings of different sections together."""
    patience_s, lease_s = settings.redis.command_timeout_s, settings.queue.lease_s
    if patience_s < lease_s:
        return []
    # Else one renewal that is waited for in vain costs the lease.
    return [f"redis.command_timeout_s={patience_s:g}: must be less than queue.lease_s ({lease_s:g})"]


def _read_queues(reading: _Reading, raw: Mapping[str, Any]) -> Mapping[QueueName, QueueSpec] | None:
    queues = {QueueName(name): _read(reading, f"queues.{name}", spec, QueueSpec) for name, spec in raw.items()}
    specs = {name: spec for name, spec in queues.items() if spec is not None}
    if len(specs) < len(queues):
        return None
    for job_type in JobType:
        takers = [name for name, spec in specs.items() if job_type in spec.types]
        if len(takers) != 1:
            reading.faults.append(
                f"queues: type {job_type.value!r} is taken by {takers or 'no queue'}; exactly one must"
            )
    return specs


def _read(reading: _Reading, section: str, raw: Mapping[str, Any], kind: type[T]) -> T | None:
    hints = get_type_hints(kind)
    reading.faults += [f"{section}.{key}: no such setting" for key in raw if key not in hints]
    reading.faults += [f"{section}.{key}: is missing" for key in hints if key not in raw]
    values = {key: _value(reading, f"{section}.{key}", raw[key], hints[key]) for key in hints if key in raw}
    if len(values) < len(hints) or None in values.values():
        return None
    return _build(reading, section, raw, kind, values)


def _value(reading: _Reading, path: str, raw: object, kind: Any) -> Any:
    try:
        return reading.converter.structure(raw, kind)
    except ValueError as error:
        reading.faults.append(_fault(reading, path, raw, error))
        return None


def _build(reading: _Reading, section: str, raw: Mapping[str, Any], kind: type[T], values: dict[str, Any]) -> T | None:
    """Run the validators one by one, so that each fault is told and not only the first."""
    with attrs.validators.disabled():
        instance = kind(**values)
    before = len(reading.faults)
    for field in attrs.fields(kind):  # type: ignore[arg-type]
        try:
            if field.validator is not None:
                field.validator(instance, field, values[field.name])
        except ValueError as error:
            reading.faults.append(_fault(reading, f"{section}.{field.name}", raw[field.name], error))
    return instance if len(reading.faults) == before else None


def _fault(reading: _Reading, path: str, raw: object, error: ValueError) -> str:
    shown = "***" if path in _MASKED and raw else repr(raw)
    return f"{reading.origin.get(path, path)}={shown}: {error}"
