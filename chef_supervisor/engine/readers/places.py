"""Where in the project an error is: the innermost frame of a stack that is the project's own, of node and of Python."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

import attrs

from chef_supervisor.engine.paths import own_path
from chef_supervisor.engine.shapes import an_int

_LONGEST_LINE: Final = 2000
_MOST_LINES: Final = 400
_MARKS: Final = ("at ", "❯ ", "› ")
_PYTHON: Final = re.compile(r'(?:E {1,3})?\s*File "(?P<file>[^"]{1,500})", line (?P<line>\d{1,9})(?:, in .*)?')
_PYTEST: Final = re.compile(r"(?P<file>[^\s:][^:]{0,500}\.py):(?P<line>\d{1,9}): .*")
_ROOT: Final = re.compile(r"^/(?!workspace/|deps/)")
# Only what may hold a program: a message is full of `a.b:1`.
_SOURCE: Final = frozenset({
    "js", "jsx", "mjs", "cjs", "ts", "tsx", "mts", "cts", "vue", "svelte", "astro", "mdx", "css", "scss", "sass", "less",
    "html", "json", "py", "pyi",
})  # fmt: skip


@attrs.frozen
class Place:
    """A file of the project; line and column count from 1, 0 where unknown."""

    file: str
    line: int = 0
    column: int = 0


def innermost(text: str | Iterable[str]) -> Place | None:
    """Returns: the innermost frame of a stack that is the project's own; else the first place that the text names."""
    lines = text.splitlines()[:_MOST_LINES] if isinstance(text, str) else list(text)[:_MOST_LINES]
    frames = list(filter(None, map(frame, lines)))
    if frames:
        # Python prints its innermost frame last.
        return frames[-1] if frames[0].file.endswith((".py", ".pyi")) else frames[0]
    return next(filter(None, map(place_in, lines)), None)


def frame(line: str) -> Place | None:
    """Returns: the place of a line that is one frame of a stack and the project's own."""
    if len(line) > _LONGEST_LINE:
        return None
    python = _PYTHON.fullmatch(line) or _PYTEST.fullmatch(line)
    if python is not None:
        return _own(python["file"], an_int(python["line"]), 0)
    return place_in(line) if is_frame(line) else None


def is_frame(line: str) -> bool:
    """Returns: whether the line looks like a frame of a stack of JavaScript, whoever's."""
    return line.lstrip().startswith(_MARKS)


def place_in(line: str) -> Place | None:
    """Returns: the first place of the project that the line names, as in `path:line` or `path:line:column`."""
    if len(line) > _LONGEST_LINE:
        return None
    return next(filter(None, map(exact_place, _candidates(line.strip()))), None)


def _candidates(line: str) -> Iterator[str]:
    # `At file: /src/a.ts:1:2` of vite is a path from the root of the site, which is that of the project.
    yield _ROOT.sub("", line.partition("ile: ")[2])
    for mark in _MARKS:
        line = line.removeprefix(mark)
    line = line.removeprefix("async ")
    function, _, rest = line.partition(" ")
    if rest and "/" not in function:
        # vitest: `❯ function src/a.ts:1:2`
        yield rest
    opened, closed = line.find(" ("), line.rfind(")")
    if 0 <= opened < closed:
        yield line[opened + 2 : closed]
    yield line
    yield line.partition(": ")[0]
    yield line.rpartition(" ")[2].rstrip(":")


def exact_place(candidate: str) -> Place | None:
    """Returns: the place of the project that the whole text is."""
    head, _, last = candidate.strip("'\"`").rpartition(":")
    file, _, middle = head.rpartition(":")
    if not last.isdecimal():
        return None
    return _own(file, an_int(middle), an_int(last)) if middle.isdecimal() else _own(head, an_int(last), 0)


def _own(file: str, line: int, column: int) -> Place | None:
    # ava: `file://test/a.js`, which is no absolute path.
    file = file.removeprefix("file://")
    path = own_path(file) if file.rpartition(".")[2] in _SOURCE and ":" not in file else None
    return Place(path, line, column) if path is not None else None
