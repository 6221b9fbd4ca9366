"""How a project's dependencies are installed: in a box with network that sees manifests only, then in one without."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs

from chef_supervisor.domain.files import ProjectFiles
from chef_supervisor.domain.toolchain import Toolchain
from chef_supervisor.domain.work import Work
from chef_supervisor.engine.environment import install_variables
from chef_supervisor.engine.globs import matching
from chef_supervisor.engine.manifests.python import GENERATED, with_packages
from chef_supervisor.engine.project import Project
from chef_supervisor.engine.steps import Budget, PlannedStep, Steps

# Stands for the place of the job's own dependencies until it is known (`at`).
DEPS: Final = "{deps}"


@attrs.frozen(kw_only=True)
class InstallPlan:
    """
    What is done to install dependencies; `{deps}` in it stands for their place, which is also the root of both works.

    Attributes:
        work: done with network.
        offline: the dependencies' own scripts, and what makes tools start sooner, done in the same place without network;
            None = nothing of that is known.
        locked: all versions stood in a lock file. Where not, those that were chosen are `work`'s artifact.
    """

    work: Work
    offline: Work | None
    locked: bool


def install_plan(
    toolchain: Toolchain, project: Project, budget: Budget, env: Mapping[str, str] | None = None
) -> InstallPlan | None:
    """Returns: the plan; None where there is nothing to install. `env`: variables of the job's own."""
    added = _added(toolchain, project)
    if not project.manifest.installs and not added:
        return None
    way = next((way for way in toolchain.install.ways if project.holds(way.when)), None)
    if way is None or way.skip is not None:
        return None
    steps = Steps(toolchain, project, installed=True, words={"added": added})
    work = _work(steps, steps.of(way, budget.install_timeout_s), budget, install_variables(env or {})[0])
    work = attrs.evolve(work, files=_seen(toolchain, project, added), artifact_globs=way.artifacts)
    after = (*toolchain.install.offline, *toolchain.install.tools)
    scripts = steps.made_of(after, budget.install_timeout_s)
    offline = _work(steps, scripts, budget, {}) if scripts else None
    return InstallPlan(work=work, offline=offline, locked=way.locked and not added)


def at(work: Work, place: str) -> Work:
    """Returns: the work with `{deps}` replaced by the place of the dependencies."""

    def there(text: str) -> str:
        return text.replace(DEPS, place)

    steps = tuple(
        attrs.evolve(
            step, argv=tuple(map(there, step.argv)), env={name: there(value) for name, value in step.env.items()}
        )
        for step in work.steps
    )
    return attrs.evolve(
        work,
        steps=steps,
        env={name: there(value) for name, value in work.env.items()},
        root=there(work.root),
        links_from=None if work.links_from is None else there(work.links_from),
    )


def _added(toolchain: Toolchain, project: Project) -> tuple[str, ...]:
    holding = [addition for addition in toolchain.install.additions if project.holds(addition.when)]
    return tuple(package for addition in holding for package in addition.packages)


def _work(steps: Steps, planned: tuple[PlannedStep, ...], budget: Budget, env: Mapping[str, str]) -> Work:
    toolchain = steps.toolchain
    return Work(
        files={},
        steps=tuple(one.step for one in planned),
        env={**env, **steps.env({**toolchain.env, **toolchain.install.env})},
        timeout_s=budget.install_timeout_s,
        root=DEPS,
        step_output_bytes=budget.output_bytes,
        most_output_bytes=budget.most_output_bytes,
    )


def _seen(toolchain: Toolchain, project: Project, added: tuple[str, ...]) -> ProjectFiles:
    # What the manifests were rewritten to stands for what was sent.
    given = {**project.files, **project.manifest.files}
    seen = {path: given[path] for path in matching(toolchain.install.sees, given)}
    if GENERATED in seen:
        seen[GENERATED] = with_packages(seen[GENERATED], added)
    return seen
