"""A project as conditions see it: its files, what its manifests declare, and whether a condition holds of it."""

from __future__ import annotations

import functools
import re
from typing import Any, Final

import attrs

from chef_supervisor.domain.condition import Condition
from chef_supervisor.domain.files import ProjectFiles
from chef_supervisor.domain.toolchain import Blocked, Each, ManifestKind
from chef_supervisor.engine import globs
from chef_supervisor.engine.manifests import Manifest, read_manifest
from chef_supervisor.engine.manifests.pyproject import has_table, read_pyproject
from chef_supervisor.engine.scripts import closure, plain_command
from chef_supervisor.engine.shapes import Unreadable
from chef_supervisor.engine.tsconfig import checking_tsconfigs

# Where its files lie in a box.
WORKSPACE: Final = "/workspace"


@attrs.frozen(slots=False)
class Project:
    """The files of a job, read as one kind of manifest says. `blocked`: scripts that count as none."""

    files: ProjectFiles = attrs.field(repr=False)
    kind: ManifestKind
    blocked: tuple[Blocked, ...] = ()

    @functools.cached_property
    def manifest(self) -> Manifest:
        """What is declared; read once."""
        return read_manifest(self.kind, self.files)

    @functools.cached_property
    def _pyproject(self) -> dict[str, Any]:
        try:
            return read_pyproject(self.files)
        except Unreadable:
            return {}

    def each(self, kind: Each) -> tuple[str, ...]:
        """Returns: what a step of that kind is repeated for."""
        match kind:
            case Each.TSCONFIG:
                return checking_tsconfigs(self.files)

    def holds(self, condition: Condition) -> bool:
        """Returns: whether everything that the condition names is so."""
        return (
            self._files_hold(condition)
            and self._script_holds(condition)
            and self._dependencies_hold(condition)
            and self._manager_holds(condition)
            and (not condition.table or has_table(self._pyproject, condition.table))
            and (not condition.any_of or any(map(self.holds, condition.any_of)))
            and not any(map(self.holds, condition.none_of))
        )

    def _files_hold(self, condition: Condition) -> bool:
        if condition.no_file and globs.matching(condition.no_file, self.files):
            return False
        if not condition.file:
            return True
        found = globs.matching(condition.file, self.files)
        if not condition.mentions:
            return bool(found)
        wanted = [text.encode() for text in condition.mentions]
        # A text that begins with a line break is one at the beginning of a line, the first one included.
        return any(text in b"\n" + self.files[path] for path in found for text in wanted)

    def _script_holds(self, condition: Condition) -> bool:
        if condition.script is None:
            return True
        scripts = self.manifest.scripts
        if condition.script not in scripts or self.why_blocked(condition.script):
            return False
        command = plain_command(scripts[condition.script], scripts)
        return not condition.script_is or any(re.fullmatch(regex, command) for regex in condition.script_is)

    def why_blocked(self, script: str) -> str:
        """Returns: why that script cannot run in a box; empty where it can, or where there is none."""
        if not self.blocked or script not in self.manifest.scripts:
            return ""
        whole = closure(script, self.manifest.scripts)
        return next((one.why for one in self.blocked if any(re.search(regex, whole) for regex in one.patterns)), "")

    def _manager_holds(self, condition: Condition) -> bool:
        named = self.manifest.manager
        return not condition.manager or any(named and re.fullmatch(regex, named) for regex in condition.manager)

    def _dependencies_hold(self, condition: Condition) -> bool:
        declared = self.manifest.dependencies
        return (not condition.dependency or not declared.isdisjoint(condition.dependency)) and declared.isdisjoint(
            condition.no_dependency
        )
