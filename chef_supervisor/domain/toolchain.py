"""What a toolchain is: how it is recognised, installed and run. All of it is data from `config/toolchains/*.toml`."""

from __future__ import annotations

import enum
import sys
from collections.abc import Mapping

import attrs

from chef_supervisor.domain.condition import Condition, patterns_compile
from chef_supervisor.domain.job import JobType
from chef_supervisor.domain.outcome import Cause


class ManifestKind(enum.StrEnum):
    """Which files tell of scripts and dependencies."""

    PACKAGE_JSON = "package_json"
    PYTHON = "python"
    # There is none: nothing is declared.
    NONE = "none"


class Each(enum.StrEnum):
    """What a step is repeated for; the value stands where the argv says `{each}`."""

    TSCONFIG = "tsconfig"


def _not_empty(_instance: object, attribute: attrs.Attribute[tuple[str, ...]], words: tuple[str, ...]) -> None:
    if not words:
        msg = f"{attribute.name} must not be empty"
        raise ValueError(msg)


@attrs.frozen
class Detection:
    """One sign by which a toolchain is recognised. Over all toolchains, the lowest precedence that holds wins."""

    precedence: int
    when: Condition


@attrs.frozen(kw_only=True)
class StepTemplate:
    """
    One command of a way.

    Attributes:
        run: the argv; a word `{name}` alone is replaced by the words of that name (`{python}`, `{each}`, ...). `{deps}`,
            alone or in a word, stands for the place of the job's own dependencies.
        needs: the step is left out where there are no words of that name.
        reports: report file -> reader; the files stand below `.chef/`.
        advisory: what it finds by rules of ours is a warning, whatever the tool calls it; errors of syntax stay errors.
        no_tests_exit: exit codes by which the tool says that it found no tests; `no_tests_text`: what it prints then.
    """

    name: str
    run: tuple[str, ...] = attrs.field(validator=_not_empty)
    when: Condition = attrs.field(factory=Condition)
    each: Each | None = None
    needs: str | None = None
    env: Mapping[str, str] = attrs.field(factory=dict)
    keep_going: bool = False
    reports: Mapping[str, str] = attrs.field(factory=dict)
    advisory: bool = False
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

    `installs` is false where the steps need no dependencies. `locked`, of a way to install: the versions were all chosen
    before, in a lock file; `artifacts` is then nothing, else the lock file that comes out. `audit`, of a way to analyze:
    steps of a box with network that sees what an install sees, and whose failure does not matter.
    """

    when: Condition = attrs.field(factory=Condition)
    steps: tuple[StepTemplate, ...] = ()
    skip: Skip | None = None
    artifacts: tuple[str, ...] = ()
    audit: tuple[StepTemplate, ...] = ()
    installs: bool = True
    locked: bool = False

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
    How dependencies come to their place, `{deps}`. No way holds, no install.

    Attributes:
        sees: globs of the only files that an install is given.
        offline: steps that follow in a box without network, in the same place: the dependencies' own scripts.
        tools: steps that follow in that box, and leave there what makes tools start sooner; they always end well.
        additions: what is installed on top.
        links: whether the workspace gets a `node_modules` of links.
    """

    sees: tuple[str, ...]
    ways: tuple[Way, ...]
    offline: tuple[StepTemplate, ...] = ()
    tools: tuple[StepTemplate, ...] = ()
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
class Blocked:
    """Scripts that cannot run in a box: those that one of the patterns is found in, themselves or what they start."""

    patterns: tuple[str, ...] = attrs.field(validator=patterns_compile)
    why: str


@attrs.frozen(kw_only=True)
class Toolchain:
    """
    Everything the engine knows of one toolchain.

    Attributes:
        looks_for: said to whoever sent a project without any toolchain; empty = nothing.
        files: written into the workspace where the project has no such file.
        words: name -> the words that stand for `{name}` in an argv; what differs between toolchains that share ways.
        versions: program -> the version of it that the runner image has; pins of a project are compared with it.
        output_readers: which readers look through what the steps print.
    """

    name: str
    detect: tuple[Detection, ...]
    manifest: ManifestKind
    install: Install
    jobs: Mapping[JobType, tuple[Way, ...]]
    looks_for: str = ""
    env: Mapping[str, str] = attrs.field(factory=dict)
    files: Mapping[str, str] = attrs.field(factory=dict)
    words: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)
    programs: Mapping[str, Program] = attrs.field(factory=dict)
    versions: Mapping[str, str] = attrs.field(factory=dict)
    blocked: tuple[Blocked, ...] = ()
    notes: tuple[Note, ...] = ()
    output_readers: tuple[str, ...] = ()

    @property
    def precedence(self) -> int:
        """Its strongest sign's; behind all others where it has none."""
        return min((one.precedence for one in self.detect), default=sys.maxsize)
