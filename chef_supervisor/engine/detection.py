"""Which toolchain a project is for: the one that the job names, else the one with the strongest sign."""

from __future__ import annotations

from collections.abc import Sequence

from chef_supervisor.domain.assignment import Assignment
from chef_supervisor.domain.files import ProjectFiles
from chef_supervisor.domain.toolchain import Toolchain
from chef_supervisor.engine.project import Project


def detected(asked: Assignment, toolchains: Sequence[Toolchain]) -> tuple[Toolchain, Project] | None:
    """Returns: the toolchain and the project as it sees it; None where none knows it."""
    if asked.toolchain is not None:
        named = next((one for one in toolchains if one.name == asked.toolchain), None)
        return None if named is None else (named, _project(named, asked.files))
    # Toolchains that read the same manifest share what was read.
    projects = {(one.manifest, one.blocked): _project(one, asked.files) for one in toolchains}
    signs = [(sign.precedence, one.name, sign.when, one) for one in toolchains for sign in one.detect]
    for _, _, when, toolchain in sorted(signs, key=lambda sign: sign[:2]):
        project = projects[toolchain.manifest, toolchain.blocked]
        if project.holds(when):
            return toolchain, project
    # Whoever says what to run needs no toolchain that knows what to.
    plain = next((one for one in toolchains if asked.steps and not one.detect), None)
    return None if plain is None else (plain, _project(plain, asked.files))


def _project(toolchain: Toolchain, files: ProjectFiles) -> Project:
    return Project(files, toolchain.manifest, toolchain.blocked)
