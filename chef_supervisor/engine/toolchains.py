"""Reads `config/toolchains/*.toml`. The one place in the engine that reads files; it refuses what it does not know."""

from __future__ import annotations

import enum
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, get_args, get_origin

import cattrs

from chef_supervisor.domain.errors import Misconfigured
from chef_supervisor.domain.toolchain import Toolchain
from chef_supervisor.engine.inheritance import Tables, inherited
from chef_supervisor.engine.known_names import unknown_names


def load_toolchains(folder: Path) -> tuple[Toolchain, ...]:
    """
    Returns: the toolchains of the folder, in the order they are tried.

    Raises:
        Misconfigured: with every fault of every file, each with file and field.
    """
    converter = _converter()
    found: list[Toolchain] = []
    faults: list[str] = []
    files = _read(folder, faults)
    by_name = {_name(tables): tables for tables in files.values()}
    for path, tables in files.items():
        if by_name[_name(tables)] is not tables:
            faults.append(f"{path}: name: another file has the name {_name(tables)!r}, too")
            continue
        try:
            own = inherited(_name(tables), by_name)
            toolchain = converter.structure(own, Toolchain)
        except cattrs.BaseValidationError as error:
            faults += (f"{path}: {fault}" for fault in cattrs.transform_error(error, path="", format_exception=_said))
        except ValueError as error:
            faults.append(f"{path}: {error}")
        else:
            found.append(toolchain)
            faults += (f"{path}: {fault}" for fault in unknown_names(toolchain))
    if not found and not faults:
        faults.append(f"{folder}: there is no toolchain in this folder")
    if faults:
        raise Misconfigured(tuple(sorted(faults, key=lambda fault: fault.partition(":")[0])))
    return tuple(sorted(found, key=lambda one: one.precedence))


def toolchain_names(toolchains: Iterable[Toolchain]) -> tuple[str, ...]:
    """Returns: what a job may name as its toolchain."""
    return tuple(sorted(one.name for one in toolchains))


def _read(folder: Path, faults: list[str]) -> dict[str, Tables]:
    """Returns: file name -> its tables."""
    files: dict[str, Tables] = {}
    for path in sorted(folder.glob("*.toml")):
        try:
            files[path.name] = tomllib.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            faults.append(f"{path.name}: {error}")
    return files


def _name(tables: Tables) -> str:
    return str(tables.get("name", ""))


def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=True)
    # cattrs would turn anything into text, and a text into a tuple of letters.
    for kind in (str, int, bool):
        converter.register_structure_hook(kind, _exactly)
    converter.register_structure_hook_factory(_is_tuple, lambda kind: _tuples(converter, get_args(kind)[0]))
    return converter


def _exactly(value: object, kind: type[object]) -> object:
    # cattrs asks here for what is derived from a text, too.
    if issubclass(kind, enum.Enum):
        return kind(value)
    if type(value) is not kind:
        msg = f"must be {kind.__name__}, not {value!r}"
        raise ValueError(msg)
    return value


def _is_tuple(kind: object) -> bool:
    return get_origin(kind) is tuple


def _tuples(converter: cattrs.Converter, item: Any) -> Callable[[object, object], tuple[object, ...]]:
    def structure(value: object, _kind: object) -> tuple[object, ...]:
        if not isinstance(value, list):
            msg = f"must be a list, not {value!r}"
            raise ValueError(msg)  # noqa: TRY004 - a wrong value of a setting, like all the others here
        return tuple(converter.structure(value, list[item]))

    return structure


def _said(error: BaseException, _type: type | None) -> str:
    if isinstance(error, cattrs.ForbiddenExtraKeysError):
        return f"unknown key {', '.join(sorted(error.extra_fields))}"
    if isinstance(error, KeyError):
        return f"{error.args[0]} is missing"
    return str(error)
