"""Removing what was made in the engine, by whoever made it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

import docker

from chef_supervisor.domain.errors import SandboxUnavailable
from chef_supervisor.sandboxes.docker.engine import Engine

_log: Final = logging.getLogger(__name__)


async def clean_up(engine: Engine, work: Callable[[docker.APIClient], None], doing: str, timeout_s: float) -> None:
    """Do it as far as the engine does; what it does not is told, and left to the next sweep."""
    try:
        await engine.call(work, doing, timeout_s)
    except SandboxUnavailable as error:
        # Given up, not taken back: the engine may still do it. Else the box ends by itself, as its input has ended, and
        # the stopped container, or the volume, is a leftover from now on.
        _log.warning("%s", error, extra={"event": "box.left_behind"})
