"""Findings whose place is told vaguely, looked up in the files that were sent: which file is meant, and which line."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

import attrs

from chef_supervisor.domain.files import ProjectFiles
from chef_supervisor.domain.outcome import Diagnostic, TestCase
from chef_supervisor.engine.readers.tally import TEST_FAILED

# Bounds of the search for lines, which goes through whole files.
_MOST_SEARCHES: Final = 100
_LARGEST_FILE: Final = 262_144
_QUOTED: Final = re.compile(r"""['"`]([^'"`\n]{1,200})['"`]|resolve ([^\s'"]{1,200}) from""")
_MOST_NAMES: Final = 4
_QUOTES: Final = "\"'`"


class Located:
    """Looks places up in `files`. What was sent as an archive is not known here, and its findings stay as they are."""

    def __init__(self, files: ProjectFiles) -> None:
        self._files = files
        self._by_name: dict[str, list[str]] = defaultdict(list)
        for path in files:
            self._by_name[path.rpartition("/")[2]].append(path)
        self._searches = 0

    def case(self, case: TestCase) -> TestCase:
        """Returns: the case with its file as it is called from the project's root."""
        file = self._file(case.file)
        return case if file == case.file else attrs.evolve(case, file=file)

    def diagnostic(self, found: Diagnostic) -> Diagnostic:
        """Returns: the finding with its file as it is called from the project's root, and its line where one is found."""
        file = self._file(found.file)
        line = found.line or self._line(file, found)
        return found if (file, line) == (found.file, found.line) else attrs.evolve(found, file=file, line=line)

    def _file(self, file: str) -> str:
        """Returns: the one file that ends so: a tool that runs in a package of a workspace tells paths from there."""
        if not file or file in self._files:
            return file
        meant = [path for path in self._by_name.get(file.rpartition("/")[2], ()) if path.endswith(f"/{file}")]
        return meant[0] if len(meant) == 1 else file

    def _line(self, file: str, found: Diagnostic) -> int:
        content = self._files.get(file, b"")
        if not content or len(content) > _LARGEST_FILE or self._searches >= _MOST_SEARCHES:
            return 0
        self._searches += 1
        text = content.decode("utf-8", "replace")
        for name in _names(found):
            places = (text.find(f"{quote}{name}{quote}") for quote in _QUOTES)
            if (first := min((place for place in places if place >= 0), default=-1)) >= 0:
                return text.count("\n", 0, first) + 1
        return 0


def _names(found: Diagnostic) -> Iterator[str]:
    """Yields: what the finding speaks of and the file holds in quotes: a module that is missing, the title of a test."""
    for match in list(_QUOTED.finditer(found.message))[:_MOST_NAMES]:
        name = match[1] or match[2]
        yield name
        # node tells the whole path of what `./name` did not lead to.
        yield f"./{name.rpartition('/')[2]}"
    if found.code == TEST_FAILED:
        yield found.message.partition(": ")[0].rpartition(" > ")[2]
