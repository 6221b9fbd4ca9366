"""What a project's manifests declare, in one shape: scripts, dependencies, extra requirements. A broken one is a note."""

from __future__ import annotations

from typing import assert_never

from chef_supervisor.domain.files import ProjectFiles
from chef_supervisor.domain.toolchain import ManifestKind
from chef_supervisor.engine.manifests.manifest import Manifest
from chef_supervisor.engine.manifests.package_json import read_package_json
from chef_supervisor.engine.manifests.python import read_python

__all__ = ["Manifest", "read_manifest"]


def read_manifest(kind: ManifestKind, files: ProjectFiles) -> Manifest:
    """Returns: what the files of that kind declare; nothing of it comes from the network or a tool."""
    match kind:
        case ManifestKind.PACKAGE_JSON:
            return read_package_json(files)
        case ManifestKind.PYTHON:
            return read_python(files)
        case ManifestKind.NONE:
            return Manifest()
        case _:
            assert_never(kind)
