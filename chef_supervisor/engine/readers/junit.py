"""JUnit XML, as pytest and node write it. XML is hostile: no document type, no entities, bounded depth."""

from __future__ import annotations

from typing import Final
from xml.parsers import expat

import attrs

from chef_supervisor.domain.outcome import Verdict
from chef_supervisor.engine.readers.findings import Findings, Tally
from chef_supervisor.engine.shapes import Unreadable, an_int

_MAX_DEPTH: Final = 200
_MAX_TEXT: Final = 8000
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
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError) as error:
        msg = f"no XML: {error}"
        raise Unreadable(msg) from error
    if not reader.any_suite:
        msg = "it has no testsuite"
        raise Unreadable(msg)
    return Findings(tests=reader.tally.counts())


def _refuse_doctype(*_: object) -> None:
    msg = "a document type is declared"
    raise Unreadable(msg)


@attrs.define(eq=False)
class _Reader:
    tally: Tally = attrs.field(factory=Tally)
    any_suite: bool = False
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
        self.any_suite = self.any_suite or name in {"testsuite", "testsuites"}
        if name == "testcase":
            self._case, self._status, self._message, self._body = attributes, Verdict.PASSED, "", ""
        elif name in _ENDS and self._case is not None and self._status is not Verdict.FAILED:
            self._status, self._listening = _ENDS[name], True
            self._message, self._body = attributes.get("message", "")[:_MAX_TEXT], ""

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
        file = case.get("file", "") or _python_file(case.get("classname") or case.get("name", ""))
        ms = an_int(_milliseconds(case.get("time", "")))
        # The message first: the body may begin with pages of source.
        message = self._body if self._body.startswith(self._message) else f"{self._message}\n{self._body.strip()}"
        self.tally.add(name=case.get("name", ""), file=file, status=self._status, ms=ms, message=message)


def _milliseconds(seconds: str) -> float:
    try:
        return float(seconds) * 1000
    except ValueError:
        return 0.0


def _python_file(classname: str) -> str:
    # pytest: `tests.test_app.TestThing`; the file is what comes before the first name with a capital.
    names = classname.split(".")
    classes = next((index for index, name in enumerate(names) if name[:1].isupper()), len(names))
    return "/".join(names[:classes]) + ".py" if classes and names[classes - 1].find("test") >= 0 else ""
