"""What a project consists of, counted from its files alone: languages, files, lines, bytes, declared dependencies."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePosixPath
from typing import Final

from chef_supervisor.engine.project import Project

_LANGUAGE: Final = {
    ".ts": "TypeScript",
    ".tsx": "TypeScript",
    ".mts": "TypeScript",
    ".cts": "TypeScript",
    ".js": "JavaScript",
    ".jsx": "JavaScript",
    ".mjs": "JavaScript",
    ".cjs": "JavaScript",
    ".py": "Python",
    ".pyi": "Python",
    ".css": "CSS",
    ".scss": "CSS",
    ".html": "HTML",
    ".vue": "Vue",
    ".svelte": "Svelte",
    ".json": "JSON",
    ".toml": "TOML",
    ".yaml": "YAML",
    ".yml": "YAML",
    ".md": "Markdown",
    ".sql": "SQL",
    ".sh": "Shell",
}
# Machines write them; counting their lines as the project's would say nothing.
_LOCK_FILES: Final = frozenset({
    "package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "yarn.lock", "uv.lock", "poetry.lock", "bun.lock",
})  # fmt: skip
_MOST: Final = 12
_LARGEST: Final = 3


def inventory_of(project: Project) -> str:
    """Returns: a few lines of text."""
    own = {path: content for path, content in project.files.items() if PurePosixPath(path).name not in _LOCK_FILES}
    total = sum(map(len, project.files.values()))
    lines = [f"{len(project.files)} files, {total} bytes, {len(project.manifest.dependencies)} dependencies declared"]
    lines += _languages(own)
    largest = sorted(own, key=lambda path: len(own[path]), reverse=True)[:_LARGEST]
    lines.append("largest: " + ", ".join(f"{path[:120]} ({len(own[path])} bytes)" for path in largest))
    return "\n".join(lines)


def _languages(files: dict[str, bytes]) -> list[str]:
    count: Counter[str] = Counter()
    lines: Counter[str] = Counter()
    for path, content in files.items():
        language = _LANGUAGE.get(PurePosixPath(path).suffix.lower(), "other")
        count[language] += 1
        lines[language] += 0 if language == "other" else content.count(b"\n") + (not content.endswith(b"\n"))
    return [
        f"{language}: {number} files" + (f", {lines[language]} lines" if lines[language] else "")
        for language, number in count.most_common(_MOST)
    ]
