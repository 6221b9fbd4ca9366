"""What a toolchain is: how it is recognised, installed and run. All of it is data from `config/toolchains/*.toml`."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping

import attrs

from chef_supervisor.domain.job import JobType
from chef_supervisor.domain.outcome import Cause


class ManifestKind(enum.StrEnum):
    """Which files tell of scripts and dependencies."""

    PACKAGE_JSON = "package_json"
    PYTHON = "python"


class Each(enum.StrEnum):
    """What a step is repeated for; the value stands where the argv says `{each}`."""

    TSCONFIG = "tsconfig"


def _patterns_compile(
    _instance: object, attribute: attrs.Attribute[tuple[str, ...]], patterns: tuple[str, ...]
) -> None:
    for pattern in patterns:
        try:
            re.compile(pattern)
        except re.error as error:
            msg = f"{attribute.name}: {pattern!r} is no regular expression: {error}"
            raise ValueError(msg) from error


def _not_empty(_instance: object, attribute: attrs.Attribute[tuple[str, ...]], words: tuple[str, ...]) -> None:
    if not words:
        msg = f"{attribute.name} must not be empty"
        raise ValueError(msg)


@attrs.frozen(kw_only=True)
class Condition:
    """
    A question about a project; everything given must hold, and an empty one holds.

    Attributes:
        file: a file matches one of these globs (`**`, `*`, `?`, `{a,b}`); `no_file`: none does.
        mentions: one of the files that `file` matched contains one of these texts.
        script: the manifest has a script of that name that does something.
        script_is: that script is one plain command (no `&&`, no pipe) that one of these regular expressions matches whole;
            `npx` and `cross-env A=b` before it do not count.
        script_lacks: none of these regular expressions is found in it, nor in the scripts it runs.
        dependency: one of these is declared; `no_dependency`: none is.
        table: `pyproject.toml` has one of these tables, as in `tool.ruff`.
        any_of, none_of: one, or none, of these conditions holds.
    """

    file: tuple[str, ...] = ()
    no_file: tuple[str, ...] = ()
    mentions: tuple[str, ...] = ()
    script: str | None = None
    script_is: tuple[str, ...] = attrs.field(default=(), validator=_patterns_compile)
    script_lacks: tuple[str, ...] = attrs.field(default=(), validator=_patterns_compile)
    dependency: tuple[str, ...] = ()
    no_dependency: tuple[str, ...] = ()
    table: tuple[str, ...] = ()
    any_of: tuple[Condition, ...] = ()
    none_of: tuple[Condition, ...] = ()


@attrs.frozen(kw_only=True)
class StepTemplate:
    """
    One command of a way.

    Attributes:
        run: the argv; a word `{name}` alone is replaced by the words of that name (`{python}`, `{each}`, ...).
        needs: the step is left out where there are no words of that name.
        reports: report file -> reader; the files stand below `.chef/`.
        no_tests_exit: exit codes by which the tool says that it found no tests; `no_tests_text`: what it prints then.
    """

    name: str
    run: tuple[str, ...] = attrs.field(validator=_not_empty)
    when: Condition = Condition()
    each: Each | None = None
    needs: str | None = None
    env: Mapping[str, str] = attrs.field(factory=dict)
    keep_going: bool = False
    reports: Mapping[str, str] = attrs.field(factory=dict)
    no_tests_exit: tuple[int, ...] = ()
    no_tests_text: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Skip:
    """Why there is nothing to do, for the result."""

    cause: Cause
    message: str


@attrs.frozen(kw_only=True)
class Way:
    """
    One way to do a job; the first whose condition holds is taken. It has steps, or says why it is skipped.

    `installs` is false where the steps need no dependencies.
    """

    when: Condition = Condition()
    steps: tuple[StepTemplate, ...] = ()
    skip: Skip | None = None
    artifacts: tuple[str, ...] = ()
    installs: bool = True

    def __attrs_post_init__(self) -> None:
        """Refuse a way that has both, or neither."""
        if bool(self.steps) == (self.skip is not None):
            msg = "a way has either steps or skip"
            raise ValueError(msg)


@attrs.frozen(kw_only=True)
class Addition:
    """Packages to install although the project does not name them: what its own files need to be tested or checked."""

    when: Condition
    packages: tuple[str, ...]


@attrs.frozen(kw_only=True)
class Install:
    """
    How dependencies come to `/deps`. No way holds, no install.

    Attributes:
        sees: globs of the only files that an install is given.
        additions: what is installed on top.
        links: whether the workspace gets a `node_modules` of links.
    """

    sees: tuple[str, ...]
    ways: tuple[Way, ...]
    env: Mapping[str, str] = attrs.field(factory=dict)
    additions: tuple[Addition, ...] = ()
    links: bool = False


@attrs.frozen(kw_only=True)
class Program:
    """The words that start a program: where dependencies were installed, and where there are none."""

    installed: tuple[str, ...]
    bare: tuple[str, ...]


@attrs.frozen(kw_only=True)
class Note:
    """A warning that the result carries where the condition holds."""

    when: Condition
    text: str


@attrs.frozen(kw_only=True)
class Toolchain:
    """
    Everything the engine knows of one toolchain.

    Attributes:
        precedence: the lowest that is recognised wins.
        looks_for: said to whoever sent a project without any toolchain.
        files: written into the workspace where the project has no such file.
        output_readers: which readers look through what the steps print.
    """

    name: str
    precedence: int
    looks_for: str
    manifest: ManifestKind
    detect: Condition
    install: Install
    jobs: Mapping[JobType, tuple[Way, ...]]
    env: Mapping[str, str] = attrs.field(factory=dict)
    files: Mapping[str, str] = attrs.field(factory=dict)
    programs: Mapping[str, Program] = attrs.field(factory=dict)
    notes: tuple[Note, ...] = ()
    output_readers: tuple[str, ...] = ()
