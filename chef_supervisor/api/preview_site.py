"""Which of a job's artifacts make a site, and which file of it a path means; pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Final

import attrs

from chef_supervisor.domain.outcome import Artifact

_INDEX: Final = "index.html"
# Where several folders are equally near to the top: those that tools build into come first.
_USUAL: Final = ("dist", "build", "out", "public", "_site")


@attrs.frozen
class Moved:
    """The path is a folder: links of its page are relative to it only with a slash at the end."""

    path: str


@attrs.frozen
class Site:
    """`root`: the folder of the site among the artifacts, with a slash at its end where it is not empty."""

    root: str
    files: Mapping[str, Artifact] = attrs.field(repr=False)

    def find(self, path: str) -> Artifact | Moved | None:
        """
        Returns: the file for the path of a request; None where there is none.

        What looks like a page of the app, and is no file, is `index.html`: the app itself reads the path.
        """
        name = unicodedata.normalize("NFC", path.removeprefix("/"))
        if name == "" or name.endswith("/"):
            found = self._file(f"{name}{_INDEX}")
        elif self._file(f"{name}/{_INDEX}") is not None and self._file(name) is None:
            return Moved(f"/{name}/")
        else:
            found = self._file(name) or self._file(f"{name}.html")
        return found or self._fallback(name)

    def _fallback(self, name: str) -> Artifact | None:
        # Scripts and images that are not there must not come as a page that no tool understands.
        return None if PurePosixPath(name).suffix else self._file(_INDEX)

    def _file(self, name: str) -> Artifact | None:
        return self.files.get(self.root + name)


def site_of(files: Mapping[str, Artifact]) -> Site | None:
    """Returns: the site whose `index.html` is nearest to the top; None where there is no such file."""
    roots = [path.removesuffix(_INDEX) for path in files if PurePosixPath(path).name == _INDEX]
    return Site(min(roots, key=_rank), files) if roots else None


def _rank(root: str) -> tuple[int, int, str]:
    last = PurePosixPath(root).name
    return root.count("/"), _USUAL.index(last) if last in _USUAL else len(_USUAL), root
