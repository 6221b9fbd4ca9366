"""What supervisors log: one record per start and per end of a child, under the name of the supervisor."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from chef_supervisor.kernel.messages import Crashed, Killed

if TYPE_CHECKING:
    from chef_supervisor.kernel.messages import Reason

STARTED = "actor.started"
ENDED = "actor.ended"
KILLED = "actor.killed"
CRASHED = "actor.crashed"


def started(supervisor: str, path: str, level: int) -> None:
    """Log that `path` is ready."""
    logging.getLogger(supervisor).log(level, "%s started", path, extra={"event": STARTED, "actor": path})


def ended(supervisor: str, path: str, reason: Reason, level: int) -> None:
    """Log how `path` ended; an orderly end at `level`. The only place where an error of an actor is logged."""
    log = logging.getLogger(supervisor)
    match reason:
        case Crashed(error):
            log.error("%s crashed: %r", path, error, exc_info=error, extra={"event": CRASHED, "actor": path})
        case Killed():
            log.warning("%s did not stop in time: cancelled", path, extra={"event": KILLED, "actor": path})
        case _:
            log.log(level, "%s ended: %s", path, type(reason).__name__, extra={"event": ENDED, "actor": path})
