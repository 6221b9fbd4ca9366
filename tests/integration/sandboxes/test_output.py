"""Output is lossless while it is small, bounded when it is large, and never holds a step up."""

from __future__ import annotations

import attrs
import pytest

from chef_supervisor.sandboxes.sandbox import Sandbox
from tests.integration.sandboxes.boxes import MIB, python, run, shell, work

pytestmark = pytest.mark.asyncio

KIB = 1 << 10


async def test_binary_output_comes_as_it_is(sandbox: Sandbox) -> None:
    every_byte = bytes(range(256)) * 64

    heard = await run(sandbox, work(python("import os; os.write(1, bytes(range(256)) * 64)")))

    assert heard.output() == every_byte
    assert heard.end.dropped_bytes == 0


async def test_stdout_and_stderr_come_in_the_order_they_were_written(sandbox: Sandbox) -> None:
    heard = await run(sandbox, work(shell("echo 1; echo 2 >&2; echo 3; echo 4 >&2")))

    assert heard.output() == b"1\n2\n3\n4\n"


async def test_of_50_mb_the_head_and_the_tail_are_kept(sandbox: Sandbox) -> None:
    steps = (shell("yes 0123456789 | head -c 50000000"), shell("echo the end"))

    heard = await run(sandbox, attrs.evolve(work(*steps), output_bytes=64 * KIB))

    assert heard.output(0).startswith(b"0123456789\n")
    assert heard.output(1) == b"the end\n"
    assert len(heard.output()) == 64 * KIB
    assert heard.end.dropped_bytes == 50_000_000 + len(b"the end\n") - 64 * KIB
    assert [step.exit_code for step in heard.ended] == [0, 0]


async def test_one_giant_line_neither_blocks_nor_fills_memory(sandbox: Sandbox) -> None:
    heard = await run(sandbox, work(shell("head -c 1073741824 /dev/zero")))

    assert heard.ended[0].exit_code == 0
    assert len(heard.output()) == MIB
    assert heard.end.dropped_bytes == 1024 * MIB - MIB


async def test_a_hundred_thousand_single_bytes_are_few_events(sandbox: Sandbox) -> None:
    heard = await run(sandbox, work(python("import os\nfor n in range(100_000): os.write(1 + n % 2, b'x')")))

    assert heard.output() == b"x" * 100_000
    assert len(heard.events) < 20_000


async def test_nothing_is_read_from_stdin(sandbox: Sandbox) -> None:
    heard = await run(sandbox, work(shell("cat; ls /proc/self/fd | wc -l")))

    # 0, 1, 2 and the one that reads the folder.
    assert heard.output() == b"4\n"
