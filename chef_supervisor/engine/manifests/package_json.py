"""Reads `package.json`: scripts and the names of dependencies; and what of `.npmrc` an install goes by."""

from __future__ import annotations

from typing import Any, Final

from chef_supervisor.domain.files import ProjectFiles
from chef_supervisor.engine.manifests.manifest import Manifest
from chef_supervisor.engine.manifests.npmrc import install_settings
from chef_supervisor.engine.shapes import Unreadable, a_dict, json_of

_KINDS: Final = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
# What `npm init` writes where there are no tests.
_PLACEHOLDER: Final = "no test specified"
# Scripts are compared with each other and searched; no honest project comes near.
_MOST_SCRIPTS: Final = 300
_LONGEST_SCRIPT: Final = 4000


def read_package_json(files: ProjectFiles) -> Manifest:
    """Returns: what the root's `package.json` declares; a fault where it cannot be read."""
    rewritten, warnings = install_settings(files)
    try:
        declared = _declared(files)
    except Unreadable as error:
        # npm says it better, with line and column: so there is something to install.
        fault = f"package.json cannot be read: {error}"
        return Manifest(installs=True, files=rewritten, warnings=(fault, *warnings), fault=fault)
    names = frozenset(name for kind in _KINDS for name in a_dict(declared.get(kind)))
    return Manifest(
        scripts=_scripts(declared.get("scripts")),
        dependencies=names,
        installs=bool(names) or bool(declared.get("workspaces")),
        files=rewritten,
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
