"""
How the process ends: at once, whatever its threads do.

Python waits for threads at its exit, and one that is in a call to an engine that hangs may never come back.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
from typing import Final, Never

log = logging.getLogger("chef.service")
_LAST_WORDS_S: Final = 1.0


def leave(code: int) -> Never:
    """End the process with that exit code; what was logged and printed is written out before."""
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and not stream.closed:
            # Whoever read it may be gone, or its disk full.
            with contextlib.suppress(OSError):
                stream.flush()
    os._exit(code)


def leave_after(seconds: float) -> None:
    """End the process so many seconds from now if it has not ended by itself, also where its event loop hangs."""
    timer = threading.Timer(seconds, _leave_late, (seconds,))
    timer.daemon = True
    timer.start()


def _leave_late(seconds: float) -> Never:
    # Who hangs may hold a lock that the log needs.
    last = threading.Timer(_LAST_WORDS_S, os._exit, (os.EX_SOFTWARE,))
    last.daemon = True
    last.start()
    log.critical("the stop took longer than %g s; the process ends now", seconds, extra={"event": "service.stuck"})
    leave(os.EX_SOFTWARE)
