"""Files arrive, steps run in order, and each says how it ended."""

from __future__ import annotations

import hashlib
import os

import attrs
import pytest

from chef_supervisor.domain.errors import Bug
from chef_supervisor.domain.work import EndedBy, Step
from chef_supervisor.sandboxes.sandbox import Sandbox
from tests.integration.sandboxes.boxes import order, processes_with, python, run, shell, work

pytestmark = pytest.mark.asyncio

DIGESTS = """
import hashlib, os
for folder, _, names in os.walk('.'):
    for name in names:
        path = os.path.join(folder, name)[2:]
        if not path.startswith('.chef/'):
            print(path, hashlib.sha256(open(path, 'rb').read()).hexdigest())
"""
STUBBORN = """
import os, signal, time
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
for generation in range(3):
    os.fork()
    os.setsid() if os.getpid() != os.getsid(0) else None
time.sleep(600)
"""
OTHERS = "import os; print(sorted(int(name) for name in os.listdir('/proc') if name.isdigit()) == [1, os.getpid()])"


async def test_a_box_without_steps_ends_well(sandbox: Sandbox) -> None:
    heard = await run(sandbox, work())

    assert (heard.end.complete, heard.end.ended_by, heard.started) == (True, EndedBy.EXIT, [])


async def test_files_arrive_byte_for_byte(sandbox: Sandbox) -> None:
    files = {
        "package.json": b"{}",
        "src/deep/er/größe.bin": os.urandom(3_000_000),
        "empty": b"",
        **{f"many/{n}": bytes([n]) for n in range(256)},
    }

    heard = await run(sandbox, work(python(DIGESTS), files=files))

    told = dict(line.split() for line in heard.output().decode().splitlines())
    assert told == {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}


async def test_steps_run_in_order_with_their_own_environment_and_folder(sandbox: Sandbox) -> None:
    step = Step(name="env", argv=("sh", "-c", "pwd; echo $A $B"), cwd="sub", env={"B": "step"}, timeout_s=9)
    what = attrs.evolve(work(shell("echo first"), step, files={"sub/x": b""}), env={"A": "work", "B": "work"})

    heard = await run(sandbox, what)

    assert heard.started == [0, 1]
    assert (heard.output(0), heard.output(1)) == (b"first\n", b"/workspace/sub\nwork step\n")
    assert [(step.exit_code, step.ended_by) for step in heard.ended] == [(0, EndedBy.EXIT)] * 2


async def test_what_follows_a_failed_step_is_left_out(sandbox: Sandbox) -> None:
    heard = await run(sandbox, work(shell("exit 3"), shell("echo never")))

    assert heard.started == [0]
    assert (heard.ended[0].exit_code, heard.end.ended_by, heard.end.complete) == (3, EndedBy.EXIT, True)


async def test_keep_going_lets_the_next_step_run(sandbox: Sandbox) -> None:
    heard = await run(sandbox, work(shell("exit 3", keep_going=True), shell("exit 4")))

    assert [step.exit_code for step in heard.ended] == [3, 4]


async def test_a_program_that_is_not_there_says_so(sandbox: Sandbox) -> None:
    heard = await run(sandbox, work(Step(name="no", argv=("no-such-program", "-x"), timeout_s=9)))

    assert heard.ended[0].exit_code == 127
    assert b"no-such-program" in heard.output()


async def test_a_step_that_dies_of_a_signal_has_no_exit_code(sandbox: Sandbox) -> None:
    heard = await run(sandbox, work(shell("kill -SEGV $$")))

    assert (heard.ended[0].exit_code, heard.ended[0].ended_by) == (None, EndedBy.KILLED)


async def test_the_tools_of_a_web_project_are_there(sandbox: Sandbox) -> None:
    heard = await run(sandbox, work(shell("node --version && npm --version && npx --version && python3 --version")))

    assert heard.ended[0].exit_code == 0, heard.output()


async def test_what_a_step_leaves_running_is_gone_before_the_next(sandbox: Sandbox) -> None:
    heard = await run(sandbox, work(shell("setsid sleep 600 & sleep 600 & exit 0"), python(OTHERS)))

    assert heard.output(1) == b"True\n"


async def test_a_step_over_its_time_is_killed_with_all_it_started(sandbox: Sandbox) -> None:
    steps = (python(STUBBORN, timeout_s=1, keep_going=True), python(OTHERS))

    heard = await run(sandbox, work(*steps))

    assert (heard.ended[0].exit_code, heard.ended[0].ended_by) == (None, EndedBy.TIMEOUT)
    assert heard.output(1) == b"True\n"
    assert heard.end.complete


async def test_all_steps_together_have_a_time(sandbox: Sandbox) -> None:
    steps = (shell("sleep 600", keep_going=True), shell("echo never"))

    heard = await run(sandbox, work(*steps, timeout_s=1))

    assert heard.started == [0]
    assert (heard.end.ended_by, heard.end.complete) == (EndedBy.TIMEOUT, True)


async def test_a_box_is_used_once(sandbox: Sandbox) -> None:
    async with sandbox.box(order(), None) as box:
        assert [event async for event in box.run(work())]

        with pytest.raises(Bug):
            await anext(aiter(box.run(work())))


async def test_nothing_of_a_box_is_left_when_it_is_left(sandbox: Sandbox) -> None:
    heard = await run(sandbox, work(shell("exec sleep 4711.0815 & exit 0")))

    assert heard.end.complete
    assert processes_with("4711.0815") == []
