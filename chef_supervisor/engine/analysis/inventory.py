"""What a project consists of, counted from its files alone: languages, files, lines, bytes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Final

from chef_supervisor.domain.analysis import Inventory, Language
from chef_supervisor.domain.files import ProjectFiles
from chef_supervisor.engine.analysis.bounds import MOST_LANGUAGES

_SUFFIXES: Final = {
    "TypeScript": (".ts", ".tsx", ".mts", ".cts"),
    "JavaScript": (".js", ".jsx", ".mjs", ".cjs"),
    "Python": (".py", ".pyi"),
    "CSS": (".css", ".scss", ".sass", ".less", ".pcss"),
    "HTML": (".html", ".htm"),
    "Vue": (".vue",),
    "Svelte": (".svelte",),
    "Astro": (".astro",),
    "JSON": (".json", ".jsonc", ".json5"),
    "TOML": (".toml",),
    "YAML": (".yaml", ".yml"),
    "Markdown": (".md", ".mdx"),
    "SQL": (".sql",),
    "GraphQL": (".graphql", ".gql"),
    "Prisma": (".prisma",),
    "Shell": (".sh", ".bash"),
    "SVG": (".svg",),
    "Text": (".txt",),
}
_LANGUAGE: Final = {suffix: language for language, suffixes in _SUFFIXES.items() for suffix in suffixes}
# Machines write them; counting their lines as the project's would say nothing.
_LOCK_FILES: Final = frozenset({
    *("package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock"),
    *("uv.lock", "poetry.lock", "requirements.lock.txt"),
})  # fmt: skip


def inventory_of(files: ProjectFiles) -> Inventory:
    """Returns: the part; it is always known."""
    by_language: dict[str, list[bytes]] = defaultdict(list)
    for path, content in files.items():
        place = PurePosixPath(path)
        language = _LANGUAGE.get(place.suffix.lower())
        if language is not None and place.name not in _LOCK_FILES:
            by_language[language].append(content)
    languages = sorted(
        (_counted(language, contents) for language, contents in by_language.items()),
        key=lambda one: (-one.bytes, one.name),
    )
    return Inventory(files=len(files), bytes=_size(files.values()), languages=tuple(languages[:MOST_LANGUAGES]))


def _counted(language: str, contents: list[bytes]) -> Language:
    return Language(name=language, files=len(contents), lines=sum(map(_lines, contents)), bytes=_size(contents))


def _lines(content: bytes) -> int:
    return content.count(b"\n") + (content[-1:] not in {b"", b"\n"})


def _size(contents: Iterable[bytes]) -> int:
    return sum(map(len, contents))
