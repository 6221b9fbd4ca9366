"""An analysis as a few lines for a person or a model; the whole of it stands in the result."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from chef_supervisor.domain.analysis import (
    Analysis,
    Answer,
    Bundle,
    Cycles,
    Dependencies,
    Inventory,
    Usage,
    Vulnerabilities,
    Vulnerability,
)

_LANGUAGES: Final = 6
_NAMES: Final = 10
_CYCLES: Final = 3
_CYCLE: Final = 6
_MODULES: Final = 5
_VULNERABILITIES: Final = 5
_LONGEST: Final = 400


def lines_of(analysis: Analysis) -> Iterator[str]:
    """Yields: what was found, worst first, then what could not be found out."""
    told = {
        "vulnerabilities": (analysis.vulnerabilities, _vulnerabilities),
        "usage": (analysis.usage, _usage),
        "import cycles": (analysis.cycles, _cycles),
        "inventory": (analysis.inventory, _inventory),
        "dependencies": (analysis.dependencies, _dependencies),
        "bundle": (analysis.bundle, _bundle),
    }
    unknown: dict[str, list[str]] = {}
    for name, (part, tell) in told.items():
        if part is not None and part.status is Answer.UNKNOWN:
            unknown.setdefault(part.reason, []).append(name)
        if part is not None:
            yield from (line[:_LONGEST] for line in tell(part))  # type: ignore[operator]  # each with its own part
    yield from (f"unknown ({', '.join(names)}): {reason}"[:_LONGEST] for reason, names in unknown.items())


def _vulnerabilities(part: Vulnerabilities) -> Iterator[str]:
    if part.status is Answer.UNKNOWN:
        return
    yield f"known vulnerabilities: {part.count}" + (f" ({part.unchecked} packages unchecked)" if part.unchecked else "")
    yield from map(_vulnerability, part.items[:_VULNERABILITIES])


def _vulnerability(one: Vulnerability) -> str:
    fixed = f", fixed in {one.fixed_in}" if one.fixed_in else ""
    what = " ".join(filter(None, (one.severity, one.package, one.version, one.id)))
    return f"  {what}: {one.title}{fixed}"


def _usage(part: Usage) -> Iterator[str]:
    if part.unused_count:
        yield f"unused dependencies: {_few([one.name for one in part.unused], part.unused_count)}"
    if part.missing_count:
        named = [f"{one.name} ({one.file}:{one.line})" if one.file else one.name for one in part.missing]
        yield f"imported but not declared: {_few(named, part.missing_count)}"


def _cycles(part: Cycles) -> Iterator[str]:
    if part.count:
        yield f"import cycles: {part.count}"
    for path in part.paths[:_CYCLES]:
        yield "  " + " -> ".join([*path[:_CYCLE], *(["..."] if len(path) > _CYCLE else []), path[0]])


def _inventory(part: Inventory) -> Iterator[str]:
    yield f"{part.files} files, {part.bytes} bytes"
    for one in part.languages[:_LANGUAGES]:
        yield f"  {one.name}: {one.files} files, {one.lines} lines, {one.bytes} bytes"


def _dependencies(part: Dependencies) -> Iterator[str]:
    installed = f", {part.locked_count} packages installed" if part.status is Answer.KNOWN else ""
    yield f"{part.direct_count} dependencies declared{installed}"


def _bundle(part: Bundle) -> Iterator[str]:
    if part.status is Answer.KNOWN:
        yield f"bundle: {part.bytes} bytes of {part.module_count} modules"
        yield from (f"  {one.bytes} {one.path}" for one in part.modules[:_MODULES])


def _few(names: list[str], count: int) -> str:
    kept = names[:_NAMES]
    return ", ".join(kept) + (f" and {count - len(kept)} more" if count > len(kept) else "")
