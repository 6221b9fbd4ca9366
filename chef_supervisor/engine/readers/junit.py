"""JUnit XML, as pytest, node, bun and vitest write it. XML is hostile: no document type, no entities, bounded depth."""

from __future__ import annotations

import re
from typing import Final
from xml.parsers import expat

import attrs

from chef_supervisor.domain.outcome import Verdict
from chef_supervisor.engine.readers.findings import Findings
from chef_supervisor.engine.readers.places import Place
from chef_supervisor.engine.readers.python_names import file_of
from chef_supervisor.engine.readers.tally import WHOLE_FILE, Tally, Totals
from chef_supervisor.engine.shapes import Unreadable, an_int

_MAX_DEPTH: Final = 200
_MAX_TEXT: Final = 8000
_RUNNERS: Final = ("vitest", "bun", "pytest", "jest", "mocha", "unittest", "ava")
# node ends its report with its counts as comments: a test that has tests of its own is counted, but is no case.
_NODE_COUNT: Final = re.compile(r" (pass|fail|cancelled|skipped|todo) (\d{1,9}) ")
_ENDS: Final = {"failure": Verdict.FAILED, "error": Verdict.FAILED, "skipped": Verdict.SKIPPED}


def read_junit(content: bytes) -> Findings:
    """
    Returns: the tests.

    Raises:
        Unreadable: it is no XML, declares a document type, or is nested too deep.
    """
    reader = _Reader()
    # Expat goes by this and not by the document, whose encoding may be one that takes time or memory.
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.CommentHandler = reader.comment
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError) as error:
        msg = f"no XML: {error}"
        raise Unreadable(msg) from error
    if not reader.any_suite:
        msg = "it has no testsuite"
        raise Unreadable(msg)
    totals = reader.totals()
    return reader.tally.findings(reader.tool, totals)


def _refuse_doctype(*_: object) -> None:
    msg = "a document type is declared"
    raise Unreadable(msg)


@attrs.define(eq=False)
class _Reader:
    tally: Tally = attrs.field(factory=Tally)
    any_suite: bool = False
    tool: str = "test"
    _counts: dict[str, int] = attrs.field(factory=dict)
    _depth: int = 0
    _case: dict[str, str] | None = None
    _status: Verdict = Verdict.PASSED
    _message: str = ""
    _body: str = ""
    _listening: bool = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            msg = "it is nested too deep"
            raise Unreadable(msg)
        if name in {"testsuite", "testsuites"}:
            self._open(attributes.get("name", ""))
        if name == "testcase":
            self._case, self._status, self._message, self._body = attributes, Verdict.PASSED, "", ""
        elif name in _ENDS and self._case is not None and self._status is not Verdict.FAILED:
            self._status, self._listening = _ENDS[name], True
            self._message, self._body = attributes.get("message", "")[:_MAX_TEXT], ""

    def _open(self, suite: str) -> None:
        # The outermost suite has the runner's name.
        first = suite.lower().partition(" ")[0]
        self.tool = first if not self.any_suite and first in _RUNNERS else self.tool
        self.tool = first if self.tool == "test" and first == "pytest" else self.tool
        self.any_suite = True

    def comment(self, data: str) -> None:
        if found := _NODE_COUNT.fullmatch(data):
            self._counts[found[1]] = an_int(found[2])

    def totals(self) -> Totals | None:
        """Returns: node's own counts, where it told them."""
        count = self._counts
        if not {"pass", "fail"} <= count.keys():
            return None
        self.tool = "node"
        return Totals(
            count["pass"], count["fail"] + count.get("cancelled", 0), count.get("skipped", 0) + count.get("todo", 0)
        )

    def text(self, data: str) -> None:
        if self._listening and len(self._body) < _MAX_TEXT:
            self._body += data[:_MAX_TEXT]

    def end(self, name: str) -> None:
        self._depth -= 1
        if name in _ENDS:
            self._listening = False
        elif name == "testcase" and self._case is not None:
            self._add(self._case)
            self._case = None

    def _add(self, case: dict[str, str]) -> None:
        file = case.get("file", "") or file_of(case.get("classname") or case.get("name", ""))
        ms = an_int(_milliseconds(case.get("time", "")))
        line = an_int(case.get("line", ""))
        self.tally.add(
            # pytest's word for a file that could not be imported; its name is that of the module.
            name=WHOLE_FILE if self._message == "collection failure" else case.get("name", ""),
            file=file,
            status=self._status,
            ms=ms,
            message=self._said(),
            place=Place(file, line) if file and line else None,
        )

    def _said(self) -> str:
        body = self._body.strip()
        if body.startswith("Error [ERR_TEST_FAILURE]"):
            # node wraps what was thrown, and only its stack is the test's.
            body = body.partition("\n  cause: ")[2] or body
        if self._message in body:
            return body
        # The message first: the body may begin with pages of source.
        return f"{self._message}\n{body}"


def _milliseconds(seconds: str) -> float:
    try:
        return float(seconds) * 1000
    except ValueError:
        return 0.0
