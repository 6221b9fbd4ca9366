"""Reads `config/toolchains/*.toml`. The one place in the engine that reads files; it refuses what it does not know."""

from __future__ import annotations

import enum
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args, get_origin

import cattrs

from chef_supervisor.domain.errors import Misconfigured
from chef_supervisor.domain.toolchain import Toolchain
from chef_supervisor.engine.readers import OUTPUT_READERS, REPORT_READERS


def load_toolchains(folder: Path) -> tuple[Toolchain, ...]:
    """
    Returns: the toolchains of the folder, in the order they are tried.

    Raises:
        Misconfigured: with every fault of every file, each with file and field.
    """
    converter = _converter()
    found: list[Toolchain] = []
    faults: list[str] = []
    for path in sorted(folder.glob("*.toml")):
        try:
            toolchain = converter.structure(tomllib.loads(path.read_text("utf-8")), Toolchain)
        except (OSError, ValueError) as error:
            faults.append(f"{path.name}: {error}")
        except cattrs.BaseValidationError as error:
            faults += (
                f"{path.name}: {fault}" for fault in cattrs.transform_error(error, path="", format_exception=_said)
            )
        else:
            found.append(toolchain)
            faults += (f"{path.name}: {fault}" for fault in _unknown_readers(toolchain))
    if not found and not faults:
        faults.append(f"{folder}: there is no toolchain in this folder")
    if faults:
        raise Misconfigured(tuple(faults))
    return tuple(sorted(found, key=lambda one: one.precedence))


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


def _unknown_readers(toolchain: Toolchain) -> list[str]:
    faults = [f"output_readers: no reader {name!r}" for name in toolchain.output_readers if name not in OUTPUT_READERS]
    for job, ways in toolchain.jobs.items():
        faults += [
            f"jobs.{job}: step {step.name}: no report reader {reader!r}"
            for way in ways
            for step in way.steps
            for reader in step.reports.values()
            if reader not in REPORT_READERS
        ]
    return faults
