"""Errors of bundlers: esbuild, rollup, vite; those that frame their source (rolldown, vite 8) have a reader of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import attrs

from chef_supervisor.domain.outcome import Diagnostic, Severity
from chef_supervisor.engine.readers.findings import diagnostic
from chef_supervisor.engine.shapes import an_int

_PLACE: Final = r"(?P<file>[^\s:][^:]{0,500}?):(?P<line>\d{1,9}):(?P<column>\d{1,9})"
# esbuild through vite:  /workspace/src/a.ts:7:17: ERROR: Unexpected ";"
_ESBUILD: Final = re.compile(_PLACE + r": ERROR: (?P<message>.*)")
# esbuild itself: ✘ [ERROR] Could not resolve "x"   and, two lines later, the place with a colon behind it
_ESBUILD_MARK: Final = re.compile(
    r"[✘X▲] \[(?P<severity>ERROR|WARNING)\] (?P<message>.*?)(?: \[(?P<code>[\w-]{1,60})\])?"
)
_ESBUILD_PLACE: Final = re.compile(r"\s{2,8}" + _PLACE + ":")
# rollup: src/App.tsx (2:7): "x" is not exported by "src/b.ts", imported by "src/App.tsx".
_ROLLUP: Final = re.compile(
    r"(?:error during build:\s*|\[!\] )?(?:RollupError: )?(?:\[[^\]]{1,80}\] ){0,2}"
    r"(?P<file>[^\s(\[][^:]{0,500}?) \((?P<line>\d{1,9}):(?P<column>\d{1,9})\): (?P<message>.*)"
)
# vite: [vite]: Rollup failed to resolve import "nothere" from "/workspace/src/App.tsx".
# vite 7: [vite:build-html] Failed to resolve /src/gone.ts from /workspace/index.html
# rollup: [!] RollupError: Could not resolve "./gone.js" from "src/b.js"
_UNRESOLVED: Final = re.compile(
    r"(?:Error: |\[!\] RollupError: )?(?:\[vite[^\]]{0,60}\]:? )?(?P<message>(?:\w{1,20} )?(?:[Ff]ailed to|Could not) resolve"
    r' (?:import )?"?(?P<wanted>[^"\s]{1,300})"? from "?(?P<file>[^"\s]{1,500}?)"?\.?)'
)
# vite 8, of a plugin:  [plugin name] /workspace/src/b.ts:1:3    and on the next line    RolldownError: message
_PLUGIN: Final = re.compile(
    r"\[plugin [^\]]{1,80}\] (?P<file>[^\s:][^:]{0,500})(?::(?P<line>\d{1,9}):(?P<column>\d{1,9}))?"
)
_VITE: Final = re.compile(r"vite v\d|error during build:|\[vite\b")
_THROWN: Final = re.compile(r"(?:\w{1,60}Error|Error): (?P<message>.*)")


def read_bundler(lines: list[str]) -> Iterator[Diagnostic | None]:
    """Yields: errors and warnings that say where they are."""
    reader = _Reader(_tool(lines))
    for line in lines:
        yield from reader.line(line)


@attrs.define(eq=False)
class _Reader:
    _tool: str
    _marked: re.Match[str] | None = None
    _plugin: re.Match[str] | None = None

    def line(self, line: str) -> Iterator[Diagnostic | None]:
        plugin, self._plugin = self._plugin, _PLUGIN.fullmatch(line)
        if (found := _placed(line)) is not None:
            yield self._error(found, found["message"])
        elif (mark := _ESBUILD_MARK.fullmatch(line)) is not None:
            self._marked = mark
        elif self._marked is not None and (found := _ESBUILD_PLACE.fullmatch(line)) is not None:
            yield self._of_mark(found, self._marked)
            self._marked = None
        elif plugin is not None and (thrown := _THROWN.fullmatch(line)) is not None:
            yield self._error(plugin, thrown["message"])

    def _of_mark(self, place: re.Match[str], mark: re.Match[str]) -> Diagnostic | None:
        severity = Severity.ERROR if mark["severity"] == "ERROR" else Severity.WARNING
        return self._error(place, mark["message"], severity, mark["code"] or "")

    def _error(
        self, place: re.Match[str], message: str, severity: Severity = Severity.ERROR, code: str = ""
    ) -> Diagnostic | None:
        fields = place.groupdict()
        column = fields.get("column")
        return diagnostic(
            file=place["file"],
            line=an_int(fields.get("line")),
            # They count columns from 0.
            column=an_int(column) + 1 if column else 0,
            severity=severity,
            code=code,
            message=message,
            tool=self._tool,
        )


def _placed(line: str) -> re.Match[str] | None:
    """Returns: the match of a line that tells place and message. Most lines lack the words, and cost nothing."""
    if ": ERROR: " in line:
        return _ESBUILD.fullmatch(line)
    if "): " in line and (found := _ROLLUP.fullmatch(line)) is not None:
        return found
    return _UNRESOLVED.fullmatch(line) if " resolve " in line else None


def _tool(lines: list[str]) -> str:
    if any(map(_VITE.match, lines)):
        return "vite"
    return "rollup" if any(line.startswith("[!] ") for line in lines) else "esbuild"
