"""What the exit codes of `submit` mean."""

from __future__ import annotations

import contextlib
import enum
import traceback
from types import TracebackType

from chef_supervisor.client import ClientError, Refused, Unfit


class Exit(enum.IntEnum):
    """The larger one wins where several hold: less is known."""

    FINE = 0
    # A job failed, ran out of time, or was cancelled.
    FAILED = 1
    # Wrong usage, or the service refused what was sent.
    REFUSED = 2
    # Nobody could say.
    UNKNOWN = 3


class FaultIsUnknown:
    """A fault of ours is told and ends the process by UNKNOWN: Python's own code for one is that of a failed job."""

    def __enter__(self) -> None:
        """Nothing is done yet."""

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if isinstance(error, Exception):
            # Nobody may read it any more.
            with contextlib.suppress(OSError):
                traceback.print_exception(error)
            raise SystemExit(Exit.UNKNOWN) from error


def exit_for(error: ClientError) -> Exit:
    """Returns: what an error means before any job was queued."""
    return Exit.REFUSED if isinstance(error, (Refused, Unfit)) else Exit.UNKNOWN
