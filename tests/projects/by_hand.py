"""Runs a project's tools as a person would: a shell in a container of the runner image, with network and no limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs

from tests.kit.tool_container import tool_container
from tests.projects.row import MARK

_MOST_S: Final = 240


@attrs.frozen
class ByHand:
    """How it ended and what it printed after the mark."""

    exit_code: int
    counted: str
    whole: str


def run_by_hand(script: str, files: Mapping[str, bytes]) -> ByHand:
    """Returns: what the script did in the project's folder."""
    with tool_container("sh", ["-ec", script], files) as container:
        container.start()
        code = container.wait(timeout=_MOST_S)["StatusCode"]
        whole = container.logs().decode(errors="replace")
    return ByHand(code, whole.partition(f"{MARK}\n")[2], whole)
