"""A result that is too large for a receiver, without its big parts; verdict, counts and summary always stay."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson

# Of one text: a message, what a test said. The summary has no more.
_MOST_TEXT: Final = 4_096
_MOST_OUTPUT: Final = 16_384
_FEW: Final = 20
_SOME: Final = 200
_KEPT_LAST: Final = ("verdict", "cause", "message", "summary", "toolchain", "cachedFrom")

_Step = Callable[[dict[str, Any]], dict[str, Any]]


def shortened(result: bytes, most_bytes: int) -> bytes:
    """
    Returns: the result as JSON in at most so many bytes (not less than 256 kB): as few of its parts left out as that
    takes, the biggest and least telling first. `null` where it is no JSON object, or none that can be read.
    """
    try:
        value = orjson.loads(result)
    except orjson.JSONDecodeError:
        # Only the job's own page can tell what was meant.
        return b"null"
    if not isinstance(value, dict):
        return b"null"
    for shorten in _STEPS:
        value = shorten(value)
        encoded = orjson.dumps(value)
        if len(encoded) <= most_bytes:
            return encoded
    return orjson.dumps(_core(value))


def _without_outputs_of_steps(value: dict[str, Any]) -> dict[str, Any]:
    steps = [step | {"output": None} if isinstance(step, dict) else step for step in _list(value.get("steps"))]
    return value | {"steps": steps}


def _with_the_end_of_the_output(value: dict[str, Any]) -> dict[str, Any]:
    match value.get("output"):
        case {"head": str(head), "tail": str(tail), "droppedBytes": int(dropped_bytes)}:
            cut = len((head + tail[:-_MOST_OUTPUT]).encode())
            return value | {"output": {"head": "", "tail": tail[-_MOST_OUTPUT:], "droppedBytes": dropped_bytes + cut}}
        case _:
            return value | {"output": None}


def _with_the_first(most: int) -> _Step:
    """Failed tests come first in a result, and so do the findings that matter."""

    def shorten(value: dict[str, Any]) -> dict[str, Any]:
        parts = ("steps", "diagnostics", "artifacts", "warnings")
        lists = {name: [_clipped(part) for part in _list(value.get(name))[:most]] for name in parts}
        return value | lists | {"tests": _tests(value.get("tests"), most)}

    return shorten


def _without_analysis(value: dict[str, Any]) -> dict[str, Any]:
    return value | {"analysis": None}


def _core(value: Mapping[str, Any]) -> dict[str, Any]:
    """What is left where a result has nothing of the expected sizes."""
    return {name: _clipped(value[name]) for name in _KEPT_LAST if isinstance(value.get(name), str)} | {
        "tests": _tests(value.get("tests"), 0)
    }


def _tests(tests: Any, most: int) -> dict[str, Any] | None:
    if not isinstance(tests, dict):
        return None
    counts = {name: tests[name] for name in ("passed", "failed", "skipped") if isinstance(tests.get(name), int)}
    return counts | {"cases": [_clipped(case) for case in _list(tests.get("cases"))[:most]]}


def _clipped(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _clipped(inner) for name, inner in value.items()}
    return value[:_MOST_TEXT] if isinstance(value, str) else value


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


_STEPS: Final[tuple[_Step, ...]] = (
    _without_outputs_of_steps,
    _with_the_end_of_the_output,
    _with_the_first(_SOME),
    _without_analysis,
    _with_the_first(_FEW),
)
