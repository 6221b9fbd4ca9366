"""Whether a Redis can keep what the service promises: what it says of itself, judged. Asked at start and again later."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from redis.exceptions import ResponseError

from chef_supervisor.store.answers import Preflight
from chef_supervisor.store.config import StoreConfig
from chef_supervisor.store.connect import Command, Lines, Reply
from chef_supervisor.store.errors import bounded

_OLDEST: Final = (6, 2)
_FLAGS_FROM: Final = (7, 0)
_WAITAOF_FROM: Final = (7, 2)
_NEARLY_FULL: Final = 0.9
_VERSION: Final = re.compile(r"(\d+)\.(\d+)")
_KEEPS_ALL: Final = "noeviction"
# Only some can be asked by INFO; where CONFIG is not allowed, the others stay unknown.
_OPTIONS: Final = ("appendfsync", "stop-writes-on-bgsave-error")
_QUESTIONS: Final[Sequence[Command]] = (("INFO",), *(("CONFIG", "GET", option) for option in _OPTIONS))


async def look(lines: Lines, config: StoreConfig) -> Preflight:
    """
    Ask the server and judge what it answers.

    Raises:
        StoreUnavailable: no answer in time.
    """
    async with bounded(config.command_timeout_s):
        info, *options = await lines.run(_QUESTIONS)
    if isinstance(info, ResponseError):
        return Preflight(refusals=("Redis does not tell what it is: allow our user the command INFO (ACL: +info)",))
    return judge(_fields(info) | _options(options), config)


def judge(fields: Mapping[str, str], config: StoreConfig) -> Preflight:
    """Returns: what speaks against a server of which INFO and CONFIG GET tell this, each with what to do about it."""
    return Preflight(
        refusals=tuple(_refusals(fields, config)), warnings=tuple(_warnings(fields, config)), loss=_loss(fields, config)
    )


def _refusals(fields: Mapping[str, str], config: StoreConfig) -> Iterator[str]:
    version = _version(fields)
    if version < _OLDEST:
        yield f"Redis is {_told_version(fields)}: take 6.2 or newer"
    if fields.get("role") == "slave":
        yield "Redis is a replica, which takes no writes: set REDIS_HOST and REDIS_PORT to its primary"
    if _number(fields, "maxmemory") > 0 and not _keeps_all(fields):
        yield (
            f"Redis forgets jobs when its memory is full (maxmemory-policy {fields.get('maxmemory_policy')}):"
            " set maxmemory-policy noeviction"
        )
    if not _has_aof(fields) and not config.allow_volatile:
        yield (
            "Redis keeps its data in memory alone (appendonly no): CONFIG SET appendonly yes, and the same in its"
            " configuration; or accept that a restart may lose all jobs by CHEF_REDIS_ALLOW_VOLATILE=true"
        )
    if config.confirm_on_disk:
        yield from _cannot_confirm(fields, version)


def _cannot_confirm(fields: Mapping[str, str], version: tuple[int, int]) -> Iterator[str]:
    if version < _WAITAOF_FROM:
        yield f"CHEF_REDIS_DURABILITY=fsync needs WAITAOF, and Redis is {_told_version(fields)}: take 7.2 or newer"
    elif not _has_aof(fields):
        yield "CHEF_REDIS_DURABILITY=fsync needs the append-only file of Redis: CONFIG SET appendonly yes"
    elif fields.get("appendfsync") == "no":
        yield "CHEF_REDIS_DURABILITY=fsync never hears of a Redis with appendfsync no: set it to always or everysec"


def _warnings(fields: Mapping[str, str], config: StoreConfig) -> Iterator[str]:
    limit_bytes = _number(fields, "maxmemory")
    if limit_bytes == 0:
        yield "Redis has no bound of its memory: set maxmemory, at most 60 % of what the machine has for it"
        if not _keeps_all(fields):
            yield "Redis would forget jobs once it has a bound of its memory: set maxmemory-policy noeviction"
    elif _number(fields, "used_memory") > _NEARLY_FULL * limit_bytes:
        yield "Redis has used more than 90 % of its memory and will take no more jobs: raise maxmemory"
    if fields.get("stop-writes-on-bgsave-error") == "no":
        yield "Redis goes on when its disk does not: set stop-writes-on-bgsave-error yes"
    if _has_aof(fields) and fields.get("appendfsync") == "no":
        yield "Redis leaves it to the system when jobs reach its disk (appendfsync no): set it to everysec or always"
    if config.confirm_on_disk and fields.get("appendfsync") == "everysec":
        yield "each job waits up to a second until Redis has it on its disk: set appendfsync always"
    if not _has_aof(fields) and config.allow_volatile:
        yield "Redis keeps its data in memory alone, as CHEF_REDIS_ALLOW_VOLATILE allows: a restart may lose all jobs"
    if _OLDEST <= _version(fields) < _FLAGS_FROM:
        yield f"Redis is {_told_version(fields)}: 7.0 or newer refuses work before it begins where memory is full"


def _loss(fields: Mapping[str, str], config: StoreConfig) -> str:
    if not _has_aof(fields):
        return "may lose all jobs"
    if config.confirm_on_disk or fields.get("appendfsync") == "always":
        return "loses no accepted job"
    return "may lose the jobs of the last second" if fields.get("appendfsync") != "no" else "may lose the newest jobs"


def _keeps_all(fields: Mapping[str, str]) -> bool:
    return fields.get("maxmemory_policy", _KEEPS_ALL) == _KEEPS_ALL


def _has_aof(fields: Mapping[str, str]) -> bool:
    return fields.get("aof_enabled") == "1"


def _version(fields: Mapping[str, str]) -> tuple[int, int]:
    match = _VERSION.match(fields.get("redis_version", ""))
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _told_version(fields: Mapping[str, str]) -> str:
    return fields.get("redis_version", "of no known version")


def _number(fields: Mapping[str, str], name: str) -> int:
    text = fields.get(name, "0")
    return int(text) if text.isdigit() else 0


def _fields(info: bytes) -> dict[str, str]:
    lines = (line.partition(":") for line in info.decode(errors="replace").splitlines() if not line.startswith("#"))
    return {name: value for name, _, value in lines}


def _options(answers: Sequence[Reply | ResponseError]) -> dict[str, str]:
    pairs = [answer for answer in answers if not isinstance(answer, ResponseError) and len(answer) == 2]
    return {name.decode(): value.decode() for name, value in pairs}
