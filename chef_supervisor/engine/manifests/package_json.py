"""Reads `package.json`: scripts, the names of dependencies, pins; and what of a project's settings an install goes by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import orjson

from chef_supervisor.domain.files import ProjectFiles
from chef_supervisor.engine.globs import matching
from chef_supervisor.engine.manifests.manifest import Manifest
from chef_supervisor.engine.manifests.npmrc import install_settings
from chef_supervisor.engine.manifests.pin import Pin
from chef_supervisor.engine.manifests.yaml_settings import yaml_settings
from chef_supervisor.engine.shapes import Unreadable, a_dict, a_text, json_of

_KINDS: Final = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
# What `npm init` writes where there are no tests.
_PLACEHOLDER: Final = "no test specified"
# Scripts are compared with each other and searched; no honest project comes near.
_MOST_SCRIPTS: Final = 300
_LONGEST_SCRIPT: Final = 4000
_LONGEST_NAME: Final = 300
# An install runs no script of the project, and what it cannot serve it is not asked for. Without them a changed script
# is no reason to install again.
_NOT_INSTALLED_BY: Final = ("scripts", "packageManager", "engines", "devEngines", "volta")
_PINNED: Final = ("node", "npm", "pnpm", "yarn", "bun")
# Its packages have dependencies of their own.
_PNPM_WORKSPACE: Final = "pnpm-workspace.yaml"
_NODE_FILES: Final = (".nvmrc", ".node-version")


def read_package_json(files: ProjectFiles) -> Manifest:
    """Returns: what the root's `package.json` declares; a fault where it cannot be read."""
    npmrc, said_of_npmrc = install_settings(files)
    settings, said_of_settings = yaml_settings(files)
    rewritten = {**npmrc, **settings, **_without_scripts(files)}
    warnings = (*said_of_npmrc, *said_of_settings)
    try:
        declared = _declared(files)
    except Unreadable as error:
        # npm says it better, with line and column: so there is something to install.
        fault = f"package.json cannot be read: {error}"
        return Manifest(installs=True, files=rewritten, warnings=(fault, *warnings), fault=fault)
    names = frozenset(name for kind in _KINDS for name in a_dict(declared.get(kind)))
    return Manifest(
        scripts=_scripts(declared.get("scripts")),
        manager=a_text(declared.get("packageManager"))[:_LONGEST_NAME],
        dependencies=names,
        installs=bool(names) or bool(declared.get("workspaces")) or _PNPM_WORKSPACE in files,
        files=rewritten,
        pins=tuple(_pins(declared, files)),
        warnings=warnings,
    )


def _declared(files: ProjectFiles) -> dict[str, Any]:
    declared = json_of(files.get("package.json", b"{}").removeprefix(b"\xef\xbb\xbf"))
    if not isinstance(declared, dict):
        msg = "it is no object"
        raise Unreadable(msg)
    return declared


def _scripts(value: object) -> dict[str, str]:
    scripts = list(a_dict(value).items())[:_MOST_SCRIPTS]
    return {
        name: text
        for name, text in scripts
        if isinstance(text, str) and text.strip() and len(text) <= _LONGEST_SCRIPT and _PLACEHOLDER not in text
    }


def _without_scripts(files: ProjectFiles) -> ProjectFiles:
    """Returns: each `package.json` that an install need not be given whole."""
    given: dict[str, bytes] = {}
    for path in matching(("package.json", "**/package.json"), files):
        try:
            declared = json_of(files[path].removeprefix(b"\xef\xbb\xbf"))
        except Unreadable:
            continue
        if isinstance(declared, dict) and not declared.keys().isdisjoint(_NOT_INSTALLED_BY):
            kept = {key: value for key, value in declared.items() if key not in _NOT_INSTALLED_BY}
            given[path] = orjson.dumps(kept, option=orjson.OPT_INDENT_2)
    return given


def _pins(declared: dict[str, Any], files: ProjectFiles) -> Iterator[Pin]:
    program, _, version = a_text(declared.get("packageManager")).partition("@")
    if program in _PINNED and version:
        yield Pin(program, version, "packageManager")
    for program, wanted in a_dict(declared.get("engines")).items():
        if program in _PINNED and isinstance(wanted, str):
            yield Pin(program, wanted, "engines")
    for path in _NODE_FILES:
        if path in files:
            yield Pin("node", files[path][:_LONGEST_NAME].decode("utf-8", "replace").strip(), path)
