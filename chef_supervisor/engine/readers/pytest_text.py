"""What pytest prints for people, where a script of the project calls it."""

from __future__ import annotations

import re
from typing import Final

import attrs

from chef_supervisor.domain.outcome import Verdict
from chef_supervisor.engine.readers.findings import Findings
from chef_supervisor.engine.readers.tally import WHOLE_FILE, Tally, Totals
from chef_supervisor.engine.readers.totals import totals_of

_TITLE: Final = re.compile(r"_{1,100} (?P<title>[^\s_].*?|_\S.*?) _{1,100}")
_PART: Final = re.compile(r"={3,200} .* ={3,200}")
_SHORT: Final = re.compile(r"(?:FAILED|ERROR) (?P<node>\S.*?)(?: - (?P<message>.*))?")
_TOTALS: Final = re.compile(
    r"(?:={1,200} )?(?P<counts>no tests ran|\d{1,9} (?:failed|passed|skipped|deselected|x|warn|error).*) in [\d.]{1,20}s.*"
)
_COLLECTING: Final = "ERROR collecting "
_AROUND: Final = re.compile(r"ERROR at (?:setup|teardown) of ")
_MOST_LINES: Final = 120
_MOST_SECTIONS: Final = 1000


def read_pytest_text(lines: list[str]) -> Findings:
    """Returns: the tests that failed, and pytest's own counts; an error in a fixture or a file is a failed test."""
    reader = _Reader()
    for line in lines:
        reader.line(line)
    return reader.findings()


@attrs.define(eq=False)
class _Reader:
    # Title of a section -> its lines; node id -> message.
    _sections: dict[str, list[str]] = attrs.field(factory=dict)
    _nodes: dict[str, str] = attrs.field(factory=dict)
    _section: list[str] | None = None
    _totals: Totals | None = None

    def line(self, line: str) -> None:
        if (totals := _TOTALS.fullmatch(line)) is not None:
            self._section = None
            self._totals = totals_of(totals["counts"])
        elif _PART.fullmatch(line):
            self._section = None
        elif (title := _TITLE.fullmatch(line)) is not None and title["title"].strip("_ "):
            self._begin(title["title"])
        elif self._section is not None:
            if len(self._section) < _MOST_LINES:
                self._section.append(line)
        elif (short := _SHORT.fullmatch(line)) is not None and len(self._nodes) < _MOST_SECTIONS:
            self._nodes[short["node"]] = short["message"] or ""

    def _begin(self, title: str) -> None:
        if len(self._sections) < _MOST_SECTIONS:
            self._section = self._sections.setdefault(title, [])

    def findings(self) -> Findings:
        if self._totals is None:
            return Findings()
        tally = Tally()
        files = {_title_of(node): node.partition("::")[0] for node in self._nodes}
        for title, text in self._sections.items():
            _add(tally, title, files, "\n".join(text))
        told = {_AROUND.sub("", title) for title in self._sections}
        for node, message in self._nodes.items():
            if _title_of(node) not in told:
                _add(tally, _title_of(node), files, message)
        return tally.findings("pytest", self._totals)


def _add(tally: Tally, title: str, files: dict[str, str], text: str) -> None:
    name = _AROUND.sub("", title)
    if title.startswith(_COLLECTING):
        file = title.removeprefix(_COLLECTING)
        tally.add(name=WHOLE_FILE, file=file, status=Verdict.FAILED, message=text)
        return
    tally.add(name=name, file=files.get(name, ""), status=Verdict.FAILED, message=text)


def _title_of(node: str) -> str:
    """Returns: the title of the section of a node id."""
    file, _, names = node.partition("::")
    return names.replace("::", ".") if names else f"{_COLLECTING}{file}"
