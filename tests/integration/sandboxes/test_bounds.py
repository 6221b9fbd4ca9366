"""A box that takes too much ends, says why, and leaves the machine as it was."""

from __future__ import annotations

import attrs
import pytest

from chef_supervisor.domain.work import EndedBy
from chef_supervisor.sandboxes.sandbox import Sandbox
from tests.integration.sandboxes.boxes import LIMITS, MIB, python, run, shell, work

pytestmark = pytest.mark.asyncio

MANY = """
import os, sys, time
try:
    while True:
        if os.fork() == 0:
            time.sleep(600)
except OSError:
    sys.exit(7)
"""
BOMB = """
import os
while True:
    try:
        os.fork()
    except OSError:
        pass
"""
EAT = "x = bytearray(600 << 20); import time; time.sleep(600)"


async def test_a_fork_bomb_is_bounded_and_swept(sandbox: Sandbox) -> None:
    heard = await run(sandbox, work(python(BOMB, timeout_s=2, keep_going=True), shell("echo still here")))

    assert heard.ended[0].ended_by is EndedBy.TIMEOUT
    assert heard.output(1) == b"still here\n"


async def test_a_step_that_is_refused_more_processes_says_so(sandbox: Sandbox) -> None:
    heard = await run(sandbox, work(python(MANY)))

    assert (heard.ended[0].exit_code, heard.ended[0].ended_by) == (None, EndedBy.PIDS)
    assert heard.end.ended_by is EndedBy.PIDS


async def test_a_memory_bomb_is_out_of_memory(sandbox: Sandbox) -> None:
    heard = await run(sandbox, work(python(EAT)))

    assert heard.end.ended_by is EndedBy.OOM


async def test_more_files_than_a_workspace_may_have_fill_it(sandbox: Sandbox) -> None:
    # Empty files: no size stops them.
    many = "for i in __import__('itertools').count(): open(str(i), 'w').close()"

    heard = await run(sandbox, work(python(many, timeout_s=30)))

    assert heard.end.ended_by is EndedBy.DISK_FULL


async def test_memory_that_no_process_shows_is_bounded_all_the_same(sandbox: Sandbox) -> None:
    hide = "import os\nfor _ in range(40): os.write(os.memfd_create('x'), bytes(10 << 20))\nprint('HIDDEN')"

    heard = await run(sandbox, work(python(hide)))

    assert heard.ended == [] or heard.ended[0].exit_code != 0
    assert b"HIDDEN" not in heard.output()


async def test_files_count_as_memory(sandbox: Sandbox) -> None:
    limits = attrs.evolve(LIMITS, memory_bytes=128 * MIB, workspace_bytes=512 * MIB)
    steps = (shell("head -c 400M /dev/zero > big && sleep 600"),)

    heard = await run(sandbox, work(*steps), limits=limits)

    assert heard.end.ended_by is EndedBy.OOM


async def test_a_full_workspace_is_called_so(sandbox: Sandbox) -> None:
    heard = await run(sandbox, work(shell("head -c 100M /dev/zero > big", keep_going=True), shell("rm big && echo ok")))

    assert (heard.ended[0].exit_code, heard.ended[0].ended_by) == (None, EndedBy.DISK_FULL)
    assert heard.output(1) == b"ok\n"


async def test_files_that_do_not_fit_are_a_full_disk(sandbox: Sandbox) -> None:
    limits = attrs.evolve(LIMITS, workspace_bytes=4 * MIB)

    heard = await run(sandbox, work(shell("true"), files={"big": bytes(5 * MIB)}), limits=limits)

    assert (heard.end.complete, heard.end.ended_by, heard.started) == (True, EndedBy.DISK_FULL, [])


async def test_open_files_are_bounded(sandbox: Sandbox) -> None:
    code = "import os\nfor n in range(10_000): os.dup(0)"

    heard = await run(sandbox, work(python(code)), limits=attrs.evolve(LIMITS, open_files=100))

    assert b"Too many open files" in heard.output()
