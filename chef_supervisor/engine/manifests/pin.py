"""Versions of programs that a project asks for, and whether the ones that are there will do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeAlias

import attrs

# What comes behind a version in `packageManager` (a digest), and before one in `.nvmrc`.
_NOISE: Final = re.compile(r"^v|\+.*$")
_VERSION: Final = re.compile(r"v?(\d+)(?:\.(\d+|[x*]))?(?:\.(\d+|[x*]))?(?:[-+.].*)?", re.ASCII)
# `-` between spaces is a range in Node's world; commas join in Python's.
_COMPARATOR: Final = re.compile(r"(>=|<=|==|!=|~=|===|=|>|<|\^|~)?\s*([v\d][^\s,|]*|[x*])", re.ASCII)
_LONGEST: Final = 100
_Parts: TypeAlias = tuple[int, ...]


@attrs.frozen
class Pin:
    """`where` asks for `wanted` of `program`: a version, or a range in the words of npm (semver) or Python (PEP 440)."""

    program: str
    wanted: str
    where: str


def unserved(pins: Iterable[Pin], versions: Mapping[str, str]) -> list[str]:
    """Returns: a sentence for each pin that our versions do not meet; what nobody can read is met."""
    return [
        f"{pin.where} asks for {pin.program} {_NOISE.sub('', pin.wanted)[:_LONGEST]}; {pin.program} "
        f"{versions[pin.program]} was used"
        for pin in pins
        if pin.program in versions and not meets(versions[pin.program], pin.wanted)
    ]


def meets(version: str, wanted: str) -> bool:
    """
    Returns: whether a version is in a range; True where the range cannot be read.

    An exact version is taken as "of that line": of Node and of package managers the first number counts, of Python the
    first two. Source: npm's semver ("Advanced Range Syntax"), PEP 440 ("Version specifiers").
    """
    ours = _parts(version) or ()
    ranges = [part.strip() for part in wanted[: _LONGEST * 3].split("||")]
    return any(_in_range(ours, one) for one in ranges)


def _in_range(ours: _Parts, wanted: str) -> bool:
    if low_high := re.fullmatch(r"(\S+)\s+-\s+(\S+)", wanted):
        return _compares(ours, ">=", low_high[1]) and _compares(ours, "<=", low_high[2])
    found = [(match[1] or "", match[2]) for match in _COMPARATOR.finditer(wanted)]
    left = _COMPARATOR.sub("", wanted).replace(",", "").strip()
    # What is not made of comparators (`lts/*`, `stable`, ...) says nothing that could be missed.
    return bool(left) or all(_compares(ours, operator, text) for operator, text in found)


def _compares(ours: _Parts, operator: str, text: str) -> bool:
    bound = _parts(text)
    return not bound or _COMPARES.get(operator, _is_of_line)(ours, bound)


def _is_of_line(ours: _Parts, bound: _Parts) -> bool:
    line = 2 if bound[0] == _PYTHON_LINE else 1
    return ours[:line] == bound[:line]


def _up_to_next(ours: _Parts, bound: _Parts, fixed: int) -> bool:
    fixed = max(1, fixed)
    return ours[:fixed] == bound[:fixed] and ours >= bound


# Where fewer numbers are said than there are, those that are said are compared.
_COMPARES: Final[Mapping[str, Callable[[_Parts, _Parts], bool]]] = {
    ">=": lambda ours, bound: ours[: len(bound)] >= bound,
    ">": lambda ours, bound: ours[: len(bound)] > bound,
    "<=": lambda ours, bound: ours[: len(bound)] <= bound,
    "<": lambda ours, bound: ours < bound,
    "!=": lambda ours, bound: ours[: len(bound)] != bound,
    "^": lambda ours, bound: _up_to_next(ours, bound, 1),
    "~": lambda ours, bound: _up_to_next(ours, bound, min(2, len(bound))),
    "~=": lambda ours, bound: _up_to_next(ours, bound, len(bound) - 1),
}
# Of no package manager and no Node that is still in use is this the first number.
_PYTHON_LINE: Final = 3


def _parts(text: str) -> _Parts | None:
    """Returns: the numbers up to the first that is not fixed; empty for `*`; None where it is no version."""
    if text in {"*", "x"}:
        return ()
    match = _VERSION.fullmatch(text)
    if match is None:
        return None
    numbers: list[int] = []
    for part in match.groups():
        if part is None or not part.isdigit():
            break
        numbers.append(int(part))
    return tuple(numbers)
