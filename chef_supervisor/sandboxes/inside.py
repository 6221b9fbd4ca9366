"""What is the same in every box, whoever makes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

BOX_UID: Final = 65532
AGENT_AT: Final = "/opt/chef/agent"
KEEPER_AT: Final = "/opt/chef/keeper"
WORKSPACE: Final = "/workspace"
DEPENDENCIES_AT: Final = "/deps"
# `/tmp` and `/dev/shm`, each.
SMALL_TMPFS_BYTES: Final = 64 << 20
_LEAST_FILE_BYTES: Final = 256 << 20

# Scratch goes to the workspace, whose size the order says.
ENVIRONMENT: Final[Mapping[str, str]] = {
    "HOME": f"{WORKSPACE}/.chef/home",
    "TMPDIR": f"{WORKSPACE}/.chef/tmp",
    "LANG": "C.UTF-8",
    "PYTHONDONTWRITEBYTECODE": "1",
}


def most_file_bytes(workspace_bytes: int) -> int:
    """Returns: how large one file may be; a bound for sparse ones, which no size of a tmpfs stops."""
    return max(workspace_bytes, _LEAST_FILE_BYTES)
