"""What is known of a project before anything runs, for an analysis: its files, and the dependencies it declares."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

import attrs

from chef_supervisor.domain.analysis import DirectDependency, Inventory
from chef_supervisor.domain.files import ProjectFiles
from chef_supervisor.domain.toolchain import ManifestKind
from chef_supervisor.engine.analysis.bounds import a_name
from chef_supervisor.engine.analysis.inventory import inventory_of
from chef_supervisor.engine.analysis.python_requirements import declared_in_python
from chef_supervisor.engine.shapes import Unreadable, a_dict, json_of

# Enough for any honest manifest.
_MOST: Final = 5000
_KINDS: Final = {
    "dependencies": "runtime",
    "devDependencies": "dev",
    "optionalDependencies": "optional",
    "peerDependencies": "peer",
}


@attrs.frozen(kw_only=True)
class Asked:
    """`inventory`: of the project as it was sent. `declared`: its dependencies, without versions and licences."""

    inventory: Inventory
    declared: tuple[DirectDependency, ...]


def asked_of(files: ProjectFiles, kind: ManifestKind) -> Asked:
    """Returns: what those files say; a manifest that cannot be read declares nothing."""
    declared = declared_in_python(files) if kind is ManifestKind.PYTHON else _in_package_json(files)
    return Asked(inventory=inventory_of(files), declared=tuple(islice(declared, _MOST)))


def _in_package_json(files: ProjectFiles) -> Iterator[DirectDependency]:
    try:
        manifest: dict[str, Any] = a_dict(json_of(files.get("package.json", b"{}").removeprefix(b"\xef\xbb\xbf")))
    except Unreadable:
        return
    for table, kind in _KINDS.items():
        for name, wanted in a_dict(manifest.get(table)).items():
            yield DirectDependency(name=a_name(name), wanted=a_name(wanted), version="", license="", kind=kind)
