"""The parts of the command line that are looked at on their own."""

from __future__ import annotations

import subprocess
import sys

import pytest
from rich.console import Console
from rich.progress import Progress, TextColumn

from chef_supervisor.cli.plain import first_line, plain
from chef_supervisor.cli.watching import Bars
from chef_supervisor.client.answers import Job
from chef_supervisor.client.decoding import decode
from tests.kit.fake_service import a_job


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\ttext\nlines é 日本 👩‍🚀", "plain\ttext\nlines é 日本 👩‍🚀"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07x\x1b]8;;http://y\x1b\\link", "xlink"),
        ("\x1bPquery\x1b\\x\x1b(Bx\x1bMx", "xxx"),
        ("a\rb\x08c\x00d\x7fe\x9bf", "abcdef"),
        ("a\x1b", "a"),
        ("\x1b]never ended", ""),
        ("a\u202egnp.\u2066b\u200f", "agnp.b"),
    ],
)
def test_what_would_steer_a_terminal_is_taken_out(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_the_first_line_is_the_first_that_says_anything() -> None:
    assert first_line("\n \x1b[31m\n  here \nthere") == "here"
    assert first_line("\n") == ""


def test_a_bar_of_a_job_that_is_over_is_full() -> None:
    progress = Progress(TextColumn("{task.fields[status]} {task.percentage:.0f}"), console=Console(file=sys.stderr))
    bars = Bars(progress)

    seen: list[list[tuple[float, str]]] = []
    for status in ("processing", "failed"):
        bars.show(decode(a_job(status, progress=40), Job))
        seen.append([(task.percentage, task.fields["status"]) for task in progress.tasks])

    assert seen == [[(40, "processing")], [(100, "failed")]]


def test_submitting_loads_nothing_of_the_service() -> None:
    check = (
        "import sys, chef_supervisor.cli.submit;"
        "print([name for name in ('redis', 'docker', 'starlette', 'uvicorn') if name in sys.modules])"
    )

    loaded = subprocess.run([sys.executable, "-c", check], check=True, capture_output=True, text=True).stdout

    assert loaded.strip() == "[]"
