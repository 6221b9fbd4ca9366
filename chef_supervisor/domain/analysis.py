"""What an analyze job found out about a project, in parts that do not depend on each other."""

from __future__ import annotations

import enum

import attrs


class Answer(enum.StrEnum):
    """Whether anybody could tell."""

    KNOWN = "known"
    UNKNOWN = "unknown"


@attrs.frozen(kw_only=True)
class Part:
    """What all parts have. Where `status` is unknown, `reason` is a sentence that says why, and the lists are empty."""

    status: Answer = Answer.KNOWN
    reason: str = ""


@attrs.frozen(kw_only=True)
class Language:
    """What is written in one language; lines with blank ones and comments."""

    name: str
    files: int
    lines: int
    bytes: int


@attrs.frozen(kw_only=True)
class Inventory(Part):
    """The project as it was sent: all its files; by language those in a known one, lock files left out, largest first."""

    files: int = 0
    bytes: int = 0
    languages: tuple[Language, ...] = ()


@attrs.frozen(kw_only=True)
class DirectDependency:
    """
    A dependency that the project declares.

    `wanted`: as it is declared, `^19.0.0` or `>=2`. `version` and `license` are empty where they are not known. `kind`:
    runtime, dev, optional or peer.
    """

    name: str
    wanted: str
    version: str
    license: str
    kind: str


@attrs.frozen(kw_only=True)
class Package:
    """A package that was installed. `license` is an SPDX expression where there is one, empty where none is declared."""

    name: str
    version: str
    license: str


@attrs.frozen(kw_only=True)
class Dependencies(Part):
    """What is declared (also where the part is unknown), and what was installed for it; the counts are of all."""

    direct: tuple[DirectDependency, ...] = ()
    direct_count: int = 0
    locked: tuple[Package, ...] = ()
    locked_count: int = 0


@attrs.frozen(kw_only=True)
class Unused:
    """A declared dependency that nothing in the project seems to use. `kind`: runtime, dev, optional or peer."""

    name: str
    kind: str


@attrs.frozen(kw_only=True)
class Missing:
    """A package that a file of the project imports and no manifest declares; `line` counts from 1, 0 = not known."""

    name: str
    file: str
    line: int


@attrs.frozen(kw_only=True)
class Usage(Part):
    """Declared dependencies against imports; the counts are of all."""

    unused: tuple[Unused, ...] = ()
    unused_count: int = 0
    missing: tuple[Missing, ...] = ()
    missing_count: int = 0


@attrs.frozen(kw_only=True)
class Cycles(Part):
    """Files that import each other: each path names them in order, and the last imports the first."""

    paths: tuple[tuple[str, ...], ...] = ()
    count: int = 0


@attrs.frozen(kw_only=True)
class Module:
    """A file's share of the bundle, in bytes as they are delivered, not compressed."""

    path: str
    bytes: int


@attrs.frozen(kw_only=True)
class Bundle(Part):
    """What the bundler made: bytes of all scripts and styles, and the modules that take most of them, largest first."""

    bytes: int = 0
    modules: tuple[Module, ...] = ()
    module_count: int = 0


@attrs.frozen(kw_only=True)
class Vulnerability:
    """
    A known one. `severity`: critical, high, moderate, low, info, or empty; `fixed_in`: versions, empty = not known.

    `version` is the installed one, empty where the answer did not say.
    """

    package: str
    version: str
    id: str
    severity: str
    title: str
    fixed_in: str


@attrs.frozen(kw_only=True)
class Vulnerabilities(Part):
    """What databases know of the locked versions, worst first. `unchecked`: packages nobody could tell about."""

    items: tuple[Vulnerability, ...] = ()
    count: int = 0
    unchecked: int = 0


@attrs.frozen(kw_only=True)
class Analysis:
    """All parts; one that no tool of the toolchain looks for is None."""

    inventory: Inventory | None = None
    dependencies: Dependencies | None = None
    usage: Usage | None = None
    cycles: Cycles | None = None
    bundle: Bundle | None = None
    vulnerabilities: Vulnerabilities | None = None
