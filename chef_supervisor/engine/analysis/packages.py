"""Declared dependencies and installed packages, put side by side."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from chef_supervisor.domain.analysis import Dependencies, DirectDependency, Package
from chef_supervisor.engine.analysis.asked import Asked
from chef_supervisor.engine.analysis.bounds import MOST_DIRECT, MOST_LOCKED
from chef_supervisor.engine.manifests.python import canonical


def dependencies_of(asked: Asked, installed: Iterable[Package], direct: Iterable[Package]) -> Dependencies:
    """Returns: the part. `direct`: those that the project itself depends on; of several versions they are the ones."""
    packages = {(one.name, one.version): one for one in installed if one.name}
    locked = sorted(packages.values(), key=lambda one: (one.name, one.version))
    found = [*locked, *direct]
    # Names as they are written first: npm's differ by a dot.
    by_name = {canonical(one.name): one for one in found} | {one.name: one for one in found}
    return Dependencies(
        direct=tuple(
            _found(one, by_name.get(one.name, by_name.get(canonical(one.name)))) for one in asked.declared[:MOST_DIRECT]
        ),
        direct_count=len(asked.declared),
        locked=tuple(locked[:MOST_LOCKED]),
        locked_count=len(locked),
    )


def _found(declared: DirectDependency, package: Package | None) -> DirectDependency:
    if package is None:
        return declared
    return attrs.evolve(declared, version=package.version, license=package.license)
