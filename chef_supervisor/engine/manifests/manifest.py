"""The shape that all kinds of manifests are read into."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from chef_supervisor.domain.files import ProjectFiles
from chef_supervisor.engine.manifests.pin import Pin


@attrs.frozen(kw_only=True)
class Manifest:
    """
    What a project declares.

    Attributes:
        scripts: name -> shell text, of those that do something.
        manager: the package manager that is named, as in `pnpm@9.1.0`; empty = none.
        dependencies: names as they are written; `installs`: whether there is anything to install.
        files: what an install is given beside, or instead of, the project's own files.
        words: replacements for words of an argv, or for a value of the environment, that depend on the project.
        pins: versions of programs that are asked for.
        warnings: sentences for the result.
        fault: why the manifest cannot be read; without it nobody knows what there is to do.
    """

    scripts: Mapping[str, str] = attrs.field(factory=dict)
    manager: str = ""
    dependencies: frozenset[str] = frozenset()
    installs: bool = False
    files: ProjectFiles = attrs.field(factory=dict)
    words: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)
    pins: tuple[Pin, ...] = ()
    warnings: tuple[str, ...] = ()
    fault: str = ""
