"""Output is lossless while it is small, bounded when it is large, and never holds a step up."""

from __future__ import annotations

import attrs
import pytest

from chef_supervisor.domain.work import EndedBy, LiveOutput
from chef_supervisor.sandboxes.sandbox import Sandbox
from tests.integration.sandboxes.boxes import MIB, python, run, shell, work

pytestmark = pytest.mark.asyncio

KIB = 1 << 10
# The end of each step's output that a test lets be kept.
KEPT = 32 * KIB


async def test_binary_output_comes_as_it_is(sandbox: Sandbox) -> None:
    every_byte = bytes(range(256)) * 64

    heard = await run(sandbox, work(python("import os; os.write(1, bytes(range(256)) * 64)")))

    assert heard.output() == every_byte
    assert heard.ended[0].dropped_bytes == 0


async def test_stdout_and_stderr_come_in_the_order_they_were_written(sandbox: Sandbox) -> None:
    heard = await run(sandbox, work(shell("echo 1; echo 2 >&2; echo 3; echo 4 >&2")))

    assert heard.output() == b"1\n2\n3\n4\n"


async def test_of_50_mb_the_head_and_the_tail_of_each_step_are_kept(sandbox: Sandbox) -> None:
    steps = (shell("yes 0123456789 | head -c 50000000; echo the end"), shell("echo the other end"))

    heard = await run(sandbox, attrs.evolve(work(*steps), step_output_bytes=KEPT))

    assert heard.output(0).startswith(b"0123456789\n")
    assert heard.output(0).endswith(b"the end\n")
    assert len(heard.output(0)) == 2 * KEPT
    assert heard.output(1) == b"the other end\n"
    dropped = 50_000_000 + len(b"the end\n") - 2 * KEPT
    assert [(step.exit_code, step.dropped_bytes) for step in heard.ended] == [(0, dropped), (0, 0)]


async def test_what_lies_between_is_told_in_its_place_and_not_faster_than_allowed(sandbox: Sandbox) -> None:
    numbers = "import sys\nfor n in range(1_000_000): sys.stdout.write(f'{n:07}\\n')"
    everything = b"".join(b"%07d\n" % n for n in range(1_000_000))

    heard = await run(sandbox, attrs.evolve(work(python(numbers)), step_output_bytes=KEPT, live_bytes_per_s=KEPT))

    at, told = KEPT, [event for event in heard.events if isinstance(event, LiveOutput)]
    for event in told:
        at += event.skipped_bytes
        assert everything[at : at + len(event.chunk)] == event.chunk
        at += len(event.chunk)
    assert KEPT <= sum(len(event.chunk) for event in told) <= KEPT * (2 + heard.ended[0].ms / 1000)


async def test_one_giant_line_neither_blocks_nor_fills_memory(sandbox: Sandbox) -> None:
    what = attrs.evolve(work(shell("head -c 1073741824 /dev/zero")), step_output_bytes=MIB // 2)

    heard = await run(sandbox, what)

    assert heard.ended[0].exit_code == 0
    assert len(heard.output()) == MIB
    assert heard.ended[0].dropped_bytes == 1024 * MIB - MIB


async def test_who_prints_more_than_the_hard_cap_is_ended_for_it(sandbox: Sandbox) -> None:
    steps = (shell("echo before"), shell("yes", keep_going=True), shell("echo never"))

    heard = await run(sandbox, attrs.evolve(work(*steps), most_output_bytes=4 * MIB, step_output_bytes=KEPT))

    assert [step.ended_by for step in heard.ended] == [EndedBy.EXIT, EndedBy.OUTPUT_LIMIT]
    assert heard.end.ended_by is EndedBy.OUTPUT_LIMIT
    assert heard.ended[1].dropped_bytes >= 4 * MIB - 3 * KEPT


async def test_a_hundred_thousand_single_bytes_are_few_events(sandbox: Sandbox) -> None:
    heard = await run(sandbox, work(python("import os\nfor n in range(100_000): os.write(1 + n % 2, b'x')")))

    assert heard.output() == b"x" * 100_000
    assert len(heard.events) < 20_000


async def test_nothing_is_read_from_stdin(sandbox: Sandbox) -> None:
    heard = await run(sandbox, work(shell("cat; ls /proc/self/fd | wc -l")))

    # 0, 1, 2 and the one that reads the folder.
    assert heard.output() == b"4\n"
