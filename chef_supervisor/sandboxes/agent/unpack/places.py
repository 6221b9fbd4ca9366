"""Where the archive lies and where the report of it is left, below the workspace."""

from __future__ import annotations

from ..names import RESERVED

ARCHIVE, REPORT = f"{RESERVED}/archive", f"{RESERVED}/unpacked.json"
