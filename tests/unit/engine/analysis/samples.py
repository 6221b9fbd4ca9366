"""What the tests of analyses share."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from chef_supervisor.domain.analysis import DirectDependency, Inventory
from chef_supervisor.engine.analysis import ANALYSIS_READERS, Asked

_CAPTURES: Final = Path(__file__).parent / "captures"


def capture(name: str) -> bytes:
    """Returns: what a tool really reported; how each was made is in captures/README.md."""
    return (_CAPTURES / name).read_bytes()


def asked(*names: str, kind: str = "runtime") -> Asked:
    """Returns: a project of two files that declares those dependencies."""
    declared = (DirectDependency(name=name, wanted="*", version="", license="", kind=kind) for name in names)
    return Asked(inventory=Inventory(files=2, bytes=100), declared=tuple(declared))


def read(reader: str, name: str, of: Asked | None = None) -> tuple[object, ...]:
    """Returns: the parts that the reader makes of a capture."""
    return ANALYSIS_READERS[reader].read(capture(name), of or asked())
