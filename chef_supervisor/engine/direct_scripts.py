"""
Starts a script of `package.json` as npm would, by the shell, without npm, which takes a tenth of a second to do it.

Source: npm documentation, "scripts" (https://docs.npmjs.com/cli/v11/using-npm/scripts): what runs before and after a
script, its working directory, and the variables that it finds.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Final

import attrs

from chef_supervisor.domain.toolchain import Toolchain
from chef_supervisor.engine.project import Project
from chef_supervisor.engine.shapes import Unreadable, a_dict, a_text, json_of

_NPM_RUN: Final = ("npm", "run")
# Whoever asks for more of npm than is set here names it so.
_ASKS_NPM: Final = b"npm_"
_LOCK_FILES: Final = ("package-lock.json", "npm-shrinkwrap.json")
# It may name another shell, or hide a variable.
_NPM_SETTINGS: Final = ".npmrc"


@attrs.frozen
class DirectScript:
    """What is started, and the variables that it finds besides those of its step."""

    argv: tuple[str, ...]
    env: Mapping[str, str]


def direct(argv: Sequence[str], toolchain: Toolchain, project: Project) -> DirectScript | None:
    """Returns: how to start it without npm; None where npm may do more than the shell would."""
    if tuple(argv[:2]) != _NPM_RUN:
        return None
    name, *options = argv[2:]
    scripts = project.manifest.scripts
    script = scripts.get(name)
    if script is None or {f"pre{name}", f"post{name}"} & scripts.keys() or _npm_matters(project):
        return None
    command = " ".join([script, shlex.join(options[1:])]).strip()
    return DirectScript(("sh", "-c", command), _variables(name, script, toolchain, project))


def _npm_matters(project: Project) -> bool:
    return _NPM_SETTINGS in project.files or any(
        _ASKS_NPM in content for path, content in project.files.items() if path not in _LOCK_FILES
    )


def _variables(name: str, script: str, toolchain: Toolchain, project: Project) -> dict[str, str]:
    try:
        declared = a_dict(json_of(project.files["package.json"].removeprefix(b"\xef\xbb\xbf")))
    except Unreadable:
        declared = {}
    versions = toolchain.versions
    return {
        "npm_command": "run",
        "npm_lifecycle_event": name,
        "npm_lifecycle_script": script,
        "npm_package_name": a_text(declared.get("name")),
        "npm_package_version": a_text(declared.get("version")),
        "npm_config_user_agent": f"npm/{versions.get('npm', '?')} node/v{versions.get('node', '?')} linux",
    }
