"""Which parts of a result give way, and in which order, until it fits into a document of Convex."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import attrs

from chef_supervisor.webhooks.convex_values import entry_weight, field_weight, weight


@attrs.frozen
class _Row:
    """
    One part: `*` in its path stands for every element of an array.

    `keep`: so many entries of a list, or bytes of a text, stay; 0 takes what is neither out as a whole.
    """

    path: str
    keep: int = 0


# What is large and nobody reads first goes first. Lists have what matters most in front (failed tests, errors).
_ORDER: Final = (
    _Row("steps.*.output.head", 2_048),
    _Row("steps.*.output.tail", 2_048),
    _Row("analysis.dependencies.locked"),
    _Row("analysis.bundle.modules", 50),
    _Row("analysis.dependencies.direct", 100),
    _Row("analysis.usage.unused", 50),
    _Row("analysis.usage.missing", 50),
    _Row("analysis.cycles.paths", 50),
    _Row("analysis.vulnerabilities.items", 50),
    _Row("tests.cases", 200),
    _Row("artifacts", 100),
    _Row("output.head", 16_384),
    _Row("output.tail", 16_384),
    _Row("diagnostics", 200),
    _Row("warnings", 20),
    # It must be huge, and all that helps to understand a failure is shortened too.
    _Row("steps.*.output"),
    _Row("artifacts"),
    _Row("analysis"),
    _Row("output.head", 2_048),
    _Row("output.tail", 2_048),
    _Row("tests.cases.*.message", 1_000),
    _Row("diagnostics.*.message", 1_000),
    _Row("steps", 50),
    _Row("tests.cases", 50),
    _Row("diagnostics", 50),
    _Row("output"),
    _Row("warnings"),
)
# In the end these alone stay, and of texts only their beginning.
_CORE: Final = ("verdict", "cause", "message", "summary", "toolchain", "cachedFrom", "tests")
_COUNTS: Final = ("passed", "failed", "skipped")
_CORE_TEXT: Final = 4_096
# Seven texts of that share, of which each character may take six bytes in JSON, are less than the whole.
_CORE_SHARE: Final = 50


def fitted(result: Any, most_bytes: int) -> tuple[Any, bool]:
    """
    Returns: the storable result, cut in place to that weight (`convex_values.weight`), and whether it had to be.

    `most_bytes` is at least 2,000. What is no object cannot be cut in a way that makes sense, and becomes an empty one.
    """
    over = weight(result) - most_bytes
    if over <= 0:
        return result, False
    if not isinstance(result, dict):
        return {}, True
    for row in _ORDER:
        for holder, key in _places(result, row.path.split(".")):
            over -= _cut(holder, key, row.keep, over)
            if over <= 0:
                return result, True
    return _core(result, min(_CORE_TEXT, most_bytes // _CORE_SHARE)), True


def _places(value: Any, path: list[str]) -> Iterator[tuple[dict[str, Any], str]]:
    name, *rest = path
    if name == "*":
        for inner in value if isinstance(value, list) else ():
            yield from _places(inner, rest)
    elif isinstance(value, dict) and name in value:
        if rest:
            yield from _places(value[name], rest)
        else:
            yield value, name


def _cut(holder: dict[str, Any], key: str, keep: int, over: int) -> int:
    """Returns: the bytes that were won, not many more than those asked for."""
    match holder[key]:
        case str() as text:
            return _shorten(holder, key, text, max(keep, len(text.encode()) - over))
        case list() as entries:
            won = 0
            while len(entries) > keep and won < over:
                won += entry_weight(entries.pop())
            return won
        case value:
            if keep:
                return 0
            won = field_weight(key, value)
            del holder[key]
            return won


def _shorten(holder: dict[str, Any], key: str, text: str, keep: int) -> int:
    content = text.encode()
    if len(content) <= keep:
        return 0
    kept = content[len(content) - keep :] if key == "tail" else content[:keep]
    before = weight(holder)
    # A character that was cut through goes as well.
    holder[key] = kept.decode(errors="ignore")
    if isinstance(dropped := holder.get("droppedBytes"), int):
        holder["droppedBytes"] = dropped + len(content) - len(holder[key].encode())
    return before - weight(holder)


def _core(result: dict[str, Any], most_text: int) -> dict[str, Any]:
    core = {key: result[key] for key in _CORE if key in result}
    if isinstance(core.get("tests"), dict):
        core["tests"] = {key: core["tests"][key] for key in _COUNTS if isinstance(core["tests"].get(key), int)}
    else:
        core.pop("tests", None)
    return {
        key: value[:most_text] if isinstance(value, str) else value
        for key, value in core.items()
        if key == "tests" or not isinstance(value, list | dict)
    }
