"""One value of TOML or of the environment to the type a setting has; a ValueError says what is wrong with it."""

from __future__ import annotations

import math
import re
from typing import Any, Final

import cattrs

from chef_supervisor.domain.job import JobType
from chef_supervisor.settings.receivers import ConvexKind
from chef_supervisor.settings.schema import Durability, Environment, LogFormat, LogLevel, Role, SandboxKind, Size

_SIZE: Final = re.compile(r"(\d+)\s*([kmg]?)b?", re.IGNORECASE)
_FACTOR: Final = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}

_BOOL: Final = {"true": True, "1": True, "false": False, "0": False}


def _size(value: object, _type: object) -> Size:
    match = _SIZE.fullmatch(str(value))
    if match is None:
        msg = "must be a number of bytes, or one with k, m or g behind it, such as 512m"
        raise ValueError(msg)
    return Size(int(match[1]) * _FACTOR[match[2].lower()])


def _int(value: object, _type: object) -> int:
    # bool is an int to Python, but `port = true` is a mistake.
    if isinstance(value, bool) or not re.fullmatch(r"-?\d+", str(value).replace("_", "")):
        msg = "must be a whole number"
        raise ValueError(msg)
    return int(str(value))


def _float(value: object, _type: object) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(str(value))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        msg = "must be a number"
        raise ValueError(msg)
    return number


def _bool(value: object, _type: object) -> bool:
    found = _BOOL.get(str(value).lower())
    if found is None:
        msg = "must be true or false"
        raise ValueError(msg)
    return found


def _str(value: object, _type: object) -> str:
    if not isinstance(value, str):
        msg = "must be text"
        raise ValueError(msg)  # noqa: TRY004 - a wrong value of a setting, like all the others here
    return value


def _items(value: object) -> list[object]:
    if isinstance(value, str):
        return [item.strip() for item in value.split(",") if item.strip()]
    if isinstance(value, list):
        return value
    msg = "must be a list (in the environment: items with commas between)"
    raise ValueError(msg)


def _choice(value: object, kind: Any) -> Any:
    choices = [str(member.value) for member in kind]
    if value not in choices:
        msg = f"must be one of {', '.join(choices)}"
        raise ValueError(msg)
    return kind(value)


def _texts(value: object, _type: object) -> tuple[str, ...]:
    return tuple(_str(item, str) for item in _items(value))


def _job_types(value: object, _type: object) -> tuple[JobType, ...]:
    return tuple(_choice(item, JobType) for item in _items(value))


def make_converter() -> cattrs.Converter:
    """Returns: the converter of this edge; it structures single values, never whole classes."""
    converter = cattrs.Converter()
    converter.register_structure_hook(Size, _size)
    converter.register_structure_hook(int, _int)
    converter.register_structure_hook(float, _float)
    converter.register_structure_hook(bool, _bool)
    converter.register_structure_hook(str, _str)
    for kind in (Role, Environment, Durability, ConvexKind, SandboxKind, LogLevel, LogFormat, JobType):
        converter.register_structure_hook(kind, _choice)
    converter.register_structure_hook_func(lambda kind: kind == tuple[str, ...], _texts)
    converter.register_structure_hook_func(lambda kind: kind == tuple[JobType, ...], _job_types)
    return converter
