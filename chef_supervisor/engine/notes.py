"""What the result says of a project beside its verdict, known before anything is run."""

from __future__ import annotations

from collections.abc import Iterator

from chef_supervisor.domain.job import JobType
from chef_supervisor.domain.toolchain import Toolchain
from chef_supervisor.engine.manifests.pin import unserved
from chef_supervisor.engine.project import Project
from chef_supervisor.engine.text import message_of

_LONGEST = 300
MODULES = "node_modules/"


def notes_of(job_type: JobType, toolchain: Toolchain, project: Project) -> tuple[str, ...]:
    """Returns: sentences, clean and short."""
    return tuple(message_of(note, _LONGEST) for note in _notes(job_type, toolchain, project))


def _notes(job_type: JobType, toolchain: Toolchain, project: Project) -> Iterator[str]:
    yield from project.manifest.warnings
    yield from unserved(project.manifest.pins, toolchain.versions)
    if why := project.why_blocked(job_type.value):
        yield f"the script {job_type.value!r} was not run: {why}"
    yield from (note.text for note in toolchain.notes if project.holds(note.when))
    if any(path.startswith(MODULES) for path in project.files):
        yield "node_modules was sent with the project and not used; dependencies are installed here"
