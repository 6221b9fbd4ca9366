"""Sample projects, and the same ones with something wrong. `tests/kit/projects/<name>/` holds what `load()` reads."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).parent / "projects"
# Left behind by whoever ran a tool in the folder; no part of the sample.
_MADE_BY_TOOLS: Final = frozenset({"node_modules", "dist", "__pycache__", ".pytest_cache", ".venv", ".chef"})


def load(name: str) -> dict[str, str]:
    """Returns: path -> text of the sample `web` or `python`, as a job's `projectFiles` takes them."""
    root = _FOLDER / name
    paths = sorted(path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return {
        path.as_posix(): (root / path).read_text("utf-8") for path in paths if _MADE_BY_TOOLS.isdisjoint(path.parts)
    }


def with_type_error(files: dict[str, str]) -> dict[str, str]:
    """Returns: the web sample, where `src/clock.ts` line 5 returns a number for a text (TS2322)."""
    return _replaced(files, "src/clock.ts", "return `${minutes}:${rest}`;", "return minutes + Number(rest);")


def with_failing_test(files: dict[str, str]) -> dict[str, str]:
    """Returns: the sample with one test that fails: `shows minutes and seconds`, or `test_amounts_grow_...`."""
    if "package.json" in files:
        return _replaced(files, "src/clock.test.ts", 'toBe("1:15")', 'toBe("1:16")')
    return _replaced(files, "tests/test_scale.py", "Fraction(3)", "Fraction(4)")


def with_lint_error(files: dict[str, str]) -> dict[str, str]:
    """Returns: the web sample, where `src/clock.ts` compares with `==`."""
    return {**files, "src/clock.ts": files["src/clock.ts"] + "\nexport const never = clock(0) == clock(1);\n"}


def without_tests(files: dict[str, str]) -> dict[str, str]:
    """Returns: the sample without its tests."""
    return {path: text for path, text in files.items() if ".test." not in path and not path.startswith("tests/")}


def _replaced(files: dict[str, str], path: str, old: str, new: str) -> dict[str, str]:
    if old not in files[path]:
        msg = f"{path} no longer contains {old!r}"
        raise ValueError(msg)
    return {**files, path: files[path].replace(old, new)}
