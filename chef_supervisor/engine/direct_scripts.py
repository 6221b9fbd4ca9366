"""
Starts a script of `package.json` as npm would, by the shell, without npm, which takes a tenth of a second to do it.

Source: npm documentation, "scripts" (https://docs.npmjs.com/cli/v11/using-npm/scripts): what runs before and after a
script, its working directory, and the variables that it finds.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import attrs

from chef_supervisor.domain.toolchain import Toolchain
from chef_supervisor.engine.project import WORKSPACE, Project
from chef_supervisor.engine.shapes import Unreadable, a_dict, a_text, json_of

_NPM_RUN: Final = ("npm", "run")
# Whoever asks for more of npm than is set here names it so.
_ASKS_NPM: Final = (b"npm_", b"INIT_CWD")
_LOCK_FILES: Final = ("package-lock.json", "npm-shrinkwrap.json")
# It may name another shell, or hide a variable.
_NPM_SETTINGS: Final = ".npmrc"
_MANIFEST: Final = "package.json"


@attrs.frozen
class DirectScript:
    """What is started, and the variables that it finds besides those of its step."""

    argv: tuple[str, ...]
    env: Mapping[str, str]


def direct(
    argv: Sequence[str], toolchain: Toolchain, project: Project, variables: Collection[str]
) -> DirectScript | None:
    """
    Returns: how to start it without npm; None where npm may do more than the shell would.

    `variables`: the names of those that the job itself sets.
    """
    if tuple(argv[:2]) != _NPM_RUN or _npm_matters(project, variables):
        return None
    name, *options = argv[2:]
    script, declared = project.manifest.scripts.get(name), _declared(project)
    # As they were sent: the manifest leaves out what is no honest script.
    if script is None or {f"pre{name}", f"post{name}"} & a_dict(declared.get("scripts")).keys():
        return None
    command = " ".join([script, shlex.join(options[1:])]).strip()
    return DirectScript(("sh", "-c", command), _variables(name, script, toolchain, declared))


def _npm_matters(project: Project, variables: Collection[str]) -> bool:
    return (
        _NPM_SETTINGS in project.files
        or any(variable.lower().startswith("npm_") for variable in variables)
        or any(
            asks in content for path, content in project.files.items() if path not in _LOCK_FILES for asks in _ASKS_NPM
        )
    )


def _declared(project: Project) -> Mapping[str, Any]:
    # One that cannot be read declares no script either.
    try:
        return a_dict(json_of(project.files.get(_MANIFEST, b"").removeprefix(b"\xef\xbb\xbf")))
    except Unreadable:
        return {}


def _variables(name: str, script: str, toolchain: Toolchain, declared: Mapping[str, Any]) -> dict[str, str]:
    versions = toolchain.versions
    given = {f"npm_package_{key}": a_text(declared.get(key)) for key in ("name", "version")}
    return {
        "INIT_CWD": WORKSPACE,
        "npm_command": "run",
        "npm_config_local_prefix": WORKSPACE,
        "npm_config_user_agent": f"npm/{versions.get('npm', '?')} node/v{versions.get('node', '?')} linux",
        "npm_lifecycle_event": name,
        "npm_lifecycle_script": script,
        "npm_package_json": f"{WORKSPACE}/{_MANIFEST}",
        **{variable: text for variable, text in given.items() if text},
    }
