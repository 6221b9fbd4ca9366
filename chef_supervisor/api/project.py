"""`data` -> what a job is to do: its files, in one of three ways, and how they are worked on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import attrs

from chef_supervisor.api.base_jobs import BASE, CHANGED, DELETED, Changes, read_changes
from chef_supervisor.api.environment import read_env
from chef_supervisor.api.own_steps import read_globs, read_steps
from chef_supervisor.api.project_files import read_project_files
from chef_supervisor.domain.assignment import Assignment
from chef_supervisor.domain.errors import Unprocessable
from chef_supervisor.domain.files import ProjectFiles
from chef_supervisor.settings import FileLimits
from chef_supervisor.webhooks.audience import Audience

FILES: Final = "data.projectFiles"
_ONE_WAY: Final = "give the files in one way: projectFiles, an archive, or baseJobId"

Seal: TypeAlias = Callable[[Mapping[str, str]], bytes]


@attrs.frozen(kw_only=True)
class Rules:
    """
    What a request is held to. `toolchains`: the names there are. `seal` makes secrets unreadable to the store.

    `audience`: who is told of jobs.
    """

    files: FileLimits
    audience: Audience
    toolchains: tuple[str, ...]
    seal: Seal


def read_project(
    data: Mapping[str, object], archive: bytes, rules: Rules, *, cache: bool
) -> tuple[Assignment, Changes | None]:
    """
    Returns: what is asked for, a remembered result where `cache` says so; and what is different from an earlier job, where its files are meant.

    Raises:
        Unprocessable: the first field that is wrong, with its path.
        TooLarge: the files are.
    """
    files, changes = _files(data, archive, rules.files)
    env = read_env(data.get("env"))
    assignment = Assignment(
        files=files,
        archive=archive,
        toolchain=_toolchain(data.get("toolchain"), rules.toolchains),
        steps=read_steps(data.get("steps")),
        artifacts=read_globs(data.get("artifacts")),
        env=env.shown,
        secrets=rules.seal(env.secrets) if env.secrets else b"",
        cache=cache,
    )
    return assignment, changes


def _files(data: Mapping[str, object], archive: bytes, limits: FileLimits) -> tuple[ProjectFiles, Changes | None]:
    if archive or "baseJobId" in data:
        _check_one_way(data, archive)
    elif "changedFiles" in data or "deletedPaths" in data:
        field = CHANGED if "changedFiles" in data else DELETED
        raise Unprocessable("conflicting_files", field, "says nothing without baseJobId")
    if archive:
        return {}, None
    if "baseJobId" in data:
        return {}, read_changes(data, limits)
    files = read_project_files(data.get("projectFiles"), limits, FILES).files
    if not files:
        raise Unprocessable("no_files", FILES, "there is no file in it")
    return files, None


def _check_one_way(data: Mapping[str, object], archive: bytes) -> None:
    others = {"projectFiles": FILES}
    if archive:
        others |= {"baseJobId": BASE, "changedFiles": CHANGED, "deletedPaths": DELETED}
    for name, field in others.items():
        if name in data:
            raise Unprocessable("conflicting_files", field, _ONE_WAY)


def _toolchain(raw: object, known: tuple[str, ...]) -> str | None:
    if raw is None:
        return None
    if not isinstance(raw, str) or raw not in known:
        raise Unprocessable("invalid_toolchain", "data.toolchain", f"must be one of {', '.join(known)}")
    return raw
