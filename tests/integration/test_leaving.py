"""The process ends when it should, whatever its threads and its event loop do."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Final

# Each would keep Python from ending for a day.
_STUCK_THREAD: Final = "threading.Thread(target=time.sleep, args=(86400,)).start()"
_STUCK_EXECUTOR: Final = "concurrent.futures.ThreadPoolExecutor().submit(time.sleep, 86400)"
_IMPORTS: Final = "import concurrent.futures, logging, os, sys, threading, time; from chef_supervisor import leaving"
_PATIENCE_S: Final = 30.0


def run(*statements: str) -> subprocess.CompletedProcess[str]:
    program = "\n".join([_IMPORTS, *statements])
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=_PATIENCE_S, check=False
    )


def test_threads_that_hang_do_not_keep_the_process() -> None:
    ended = run(_STUCK_THREAD, _STUCK_EXECUTOR, "print('said')", "leaving.leave(3)")

    assert (ended.returncode, ended.stdout) == (3, "said\n")


def test_what_nobody_reads_does_not_keep_the_process() -> None:
    gone = "reader, writer = os.pipe(); os.close(reader); sys.stdout = open(writer, 'w'); print('unheard')"

    ended = run(_STUCK_THREAD, gone, "leaving.leave(3)")

    assert ended.returncode == 3


def test_what_was_logged_is_written_before() -> None:
    handler = "logging.handlers.MemoryHandler(1000, target=logging.StreamHandler(sys.stderr))"
    ended = run(
        "import logging.handlers",
        f"logging.basicConfig(level='INFO', handlers=[{handler}])",
        "logging.info('the last words')",
        "leaving.leave(0)",
    )

    assert ended.returncode == 0
    assert "the last words" in ended.stderr


def test_a_stop_that_takes_too_long_is_ended_though_the_event_loop_hangs() -> None:
    ended = run("leaving.leave_after(0.2)", "time.sleep(86400)")

    assert ended.returncode == os.EX_SOFTWARE
    assert "took longer than 0.2 s" in ended.stderr


def test_a_log_that_hangs_as_well_does_not_keep_the_process() -> None:
    """Whoever hangs may hold the lock of the log."""
    ended = run(
        "handler = logging.StreamHandler(sys.stderr); logging.getLogger().addHandler(handler)",
        "threading.Thread(target=lambda: (handler.acquire(), time.sleep(86400)), daemon=True).start()",
        "leaving.leave_after(0.2)",
        "time.sleep(86400)",
    )

    assert ended.returncode == os.EX_SOFTWARE


def test_a_stop_in_time_is_not_held_up() -> None:
    ended = run("leaving.leave_after(86400)", "print('ended')")

    assert (ended.returncode, ended.stdout) == (0, "ended\n")
