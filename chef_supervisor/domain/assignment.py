"""What a job is to do, as whoever submitted it said: the project, and wishes about how it is done."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from chef_supervisor.domain.files import ProjectFiles


@attrs.frozen(kw_only=True)
class OwnStep:
    """A step that the submitter names. `run`: words are an argv; a text is given to `sh -c` inside the box."""

    name: str
    run: str | tuple[str, ...]


@attrs.frozen(kw_only=True)
class Assignment:
    """
    A job's project and wishes; opaque to the store, which keeps what `domain.payload` makes of it.

    Attributes:
        files: path -> content; with an archive, what is laid over it.
        archive: a tar.gz or zip, as it came; it is unpacked inside a box only. Empty = none.
        deleted: paths of the archive that are not part of the project.
        toolchain: the name of the one to use; None = the one that recognises the project.
        steps: what is run instead of the toolchain's steps for that type of job; empty = those.
        artifacts: globs of files to keep, instead of the toolchain's; empty = those.
        env: variables that every step sees, the install too.
        secrets: variables that only the install with network sees, sealed; empty = none.
        cache: whether a stored result of the same work will do.
    """

    files: ProjectFiles = attrs.field(factory=dict, repr=False)
    archive: bytes = attrs.field(default=b"", repr=False)
    deleted: tuple[str, ...] = ()
    toolchain: str | None = None
    steps: tuple[OwnStep, ...] = ()
    artifacts: tuple[str, ...] = ()
    env: Mapping[str, str] = attrs.field(factory=dict)
    secrets: bytes = attrs.field(default=b"", repr=False)
    cache: bool = False
