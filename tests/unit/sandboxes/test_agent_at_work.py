"""The agent's whole run, in this process and without a box: here it may only kill what its own steps started."""

from __future__ import annotations

import fcntl
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chef_supervisor.sandboxes.agent import beneath, evidence, frames, main, spawn
from chef_supervisor.sandboxes.agent.channel import Channel
from chef_supervisor.sandboxes.agent.order import LimitOrder
from chef_supervisor.sandboxes.agent.protect import OomScore
from chef_supervisor.sandboxes.wire import FrameReader

MOST = dict.fromkeys(range(32), 1 << 20)


class NoScore(OomScore):
    """Leaves this process's own score alone."""

    def __init__(self) -> None:
        self._file = -1


@pytest.fixture(autouse=True)
def _harmless(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setattr(main, "be_undumpable", lambda: None)
    monkeypatch.setattr(main, "OomScore", NoScore)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    handlers = {number: signal.getsignal(number) for number in (signal.SIGCHLD, signal.SIGINT)}
    yield
    signal.set_wakeup_fd(-1)
    for number, handler in handlers.items():
        signal.signal(number, handler)


class Agent:
    """The agent's line, both of its ends; a pipe holds all that is said, so no second thread is needed."""

    def __init__(self) -> None:
        self._source, self.to_agent = os.pipe()
        self._from_agent, self._sink = os.pipe()
        for pipe in (self.to_agent, self._sink):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 1 << 20)

    def run(self) -> tuple[int, list[tuple[int, bytes]]]:
        status = main.main(Channel(self._source, self._sink))
        os.close(self._sink)
        with open(self._from_agent, "rb") as said:  # noqa: PTH123
            told = list(FrameReader(MOST).feed(said.read()))
        os.close(self._source)
        return status, told


def order(root: Path, *steps: dict[str, Any], **fields: Any) -> bytes:
    whole: dict[str, Any] = {
        "steps": [{"cwd": ".", "env": {}, "timeout_s": 20, "keep_going": False, **step} for step in steps],
        "env": {"FROM_ORDER": "1"},
        "timeout_s": 20,
        "root": str(root),
        "links_from": None,
        "reports": [],
        "artifact_globs": [],
        "step_output_bytes": 500,
        "live_bytes_per_s": 100,
        "most_output_bytes": 10_000,
        "report_bytes": 100,
        "max_artifacts": 10,
        "artifact_bytes": 1000,
        "limits": {},
    }
    return frames.pack(frames.ORDER, json.dumps({**whole, **fields}).encode())


def sh(script: str, **fields: Any) -> dict[str, Any]:
    return {"argv": ["sh", "-c", script], **fields}


def at_work(ordered: bytes, files: dict[str, bytes] | None = None) -> list[tuple[int, Any]]:
    """Returns: what the agent told, JSON read and indexes cut off."""
    agent = Agent()
    os.write(agent.to_agent, ordered)
    for path, content in (files or {}).items():
        os.write(agent.to_agent, frames.pack(frames.FILE, frames.pack_named(path, content)))
    os.write(agent.to_agent, frames.pack(frames.GO))
    status, told = agent.run()
    os.close(agent.to_agent)
    assert status == 0
    return [(kind, _plain(kind, payload)) for kind, payload in told]


def _plain(kind: int, payload: bytes) -> Any:
    if kind in {frames.ENDED, frames.ARTIFACT, frames.VERDICT}:
        return json.loads(payload)
    return payload if kind == frames.REPORT else payload[4:]


def ended(told: list[tuple[int, Any]]) -> list[tuple[int | None, str]]:
    return [(one["exit_code"], one["ended_by"]) for kind, one in told if kind == frames.ENDED]


def output(told: list[tuple[int, Any]]) -> bytes:
    return b"".join(one for kind, one in told if kind in {frames.OUTPUT, frames.TAIL})


def test_an_order_adds_to_the_path_without_knowing_it(tmp_path: Path) -> None:
    added = at_work(order(tmp_path / "a", sh("echo $PATH"), env={"PATH": "/first:$PATH:/last"}))
    plain = at_work(order(tmp_path / "b", sh("echo $PATH")))

    assert output(plain) == f"{os.environ['PATH']}\n".encode()
    assert output(added) == f"/first:{os.environ['PATH']}:/last\n".encode()


def test_files_steps_reports_and_artifacts(tmp_path: Path) -> None:
    ordered = order(
        tmp_path / "ws",
        sh("cat a/b; echo $FROM_ORDER $OWN", env={"OWN": "2"}),
        sh("pwd; echo out > made; ln -s made link; ln made twin; rm twin; mkdir .chef d; mkfifo d/p", cwd="a"),
        reports=["a/made", "a/link", "absent"],
        artifact_globs=["**", "a/*"],
    )

    told = at_work(ordered, {"a/b": b"content\n"})

    assert ended(told) == [(0, "exit"), (0, "exit")]
    assert output(told) == b"content\n1 2\n" + f"{tmp_path}/ws/a\n".encode()
    assert [one for kind, one in told if kind == frames.REPORT] == [frames.pack_named("a/made", b"out\n")]
    assert [one["path"] for kind, one in told if kind == frames.ARTIFACT] == ["a/b", "a/made"]
    assert told[-1] == (frames.VERDICT, {"ended_by": "exit", "warnings": []})


@pytest.mark.parametrize(
    ("step", "how"),
    [
        (sh("exit 3"), (3, "exit")),
        (sh("kill -SEGV $$"), (None, "killed")),
        (sh("sleep 60", timeout_s=0.05), (None, "timeout")),
        ({"argv": ["no-such-program"]}, (127, "exit")),
        ({"argv": ["/etc/passwd"]}, (126, "exit")),
        ({"argv": ["a\0b"]}, (126, "exit")),
        (sh("true", cwd="nowhere"), (127, "exit")),
    ],
)
def test_a_failed_step_is_the_last(step: dict[str, Any], how: tuple[int | None, str], tmp_path: Path) -> None:
    told = at_work(order(tmp_path, step, sh("echo never")))

    assert ended(told) == [how]
    assert told[-1][1]["ended_by"] == how[1]


def test_keep_going_and_the_time_of_all(tmp_path: Path) -> None:
    told = at_work(order(tmp_path, sh("exit 1", keep_going=True), sh("sleep 60"), sh("echo never"), timeout_s=1))

    assert ended(told) == [(1, "exit"), (None, "timeout")]
    assert told[-1][1]["ended_by"] == "timeout"


def test_no_time_at_all(tmp_path: Path) -> None:
    told = at_work(order(tmp_path, sh("echo never"), timeout_s=0))

    assert told == [(frames.VERDICT, {"ended_by": "timeout", "warnings": []})]


def test_long_output_is_head_and_tail(tmp_path: Path) -> None:
    told = at_work(order(tmp_path, sh("head -c 5000 /dev/zero; printf end")))

    assert output(told) == bytes(500) + bytes(497) + b"end"
    [end] = [one for kind, one in told if kind == frames.ENDED]
    assert end["dropped_bytes"] == 4003
    assert [one for kind, one in told if kind == frames.LIVE] == [bytes(8) + bytes(100)]


@pytest.mark.parametrize("keep_going", [False, True])
def test_who_prints_more_than_all_steps_may_is_ended_and_none_follows(tmp_path: Path, *, keep_going: bool) -> None:
    steps = (
        sh("head -c 6000 /dev/zero"),
        sh("head -c 60000 /dev/zero; sleep 2; touch survived", keep_going=keep_going),
        sh("true"),
    )

    told = at_work(order(tmp_path, *steps))

    assert ended(told) == [(0, "exit"), (None, "output_limit")]
    assert told[-1][1]["ended_by"] == "output_limit"
    assert not (tmp_path / "survived").exists()


def test_a_step_that_ended_before_its_last_words_were_read_printed_too_much_all_the_same(tmp_path: Path) -> None:
    told = at_work(order(tmp_path, sh("head -c 10001 /dev/zero"), sh("true")))

    assert ended(told) == [(None, "output_limit")]


def test_as_much_as_may_be_printed_is_not_too_much(tmp_path: Path) -> None:
    told = at_work(order(tmp_path, sh("head -c 10000 /dev/zero"), sh("true")))

    assert ended(told) == [(0, "exit"), (0, "exit")]


def test_limits_reach_the_step(tmp_path: Path) -> None:
    limits = {"nice": 1, "nproc": 0, "nofile": 77, "fsize": 1 << 20}

    told = at_work(order(tmp_path, sh("ulimit -n; ulimit -c; ulimit -f; nice"), limits=limits))

    assert output(told).split()[:3] == [b"77", b"0", b"2048"]


def test_a_path_that_escapes_ends_the_work_before_it_begins(tmp_path: Path) -> None:
    told = at_work(order(tmp_path / "ws", sh("echo never")), {"../x": b"", "y": b""})

    ((kind, verdict),) = told
    assert (kind, verdict["ended_by"]) == (frames.VERDICT, "killed")
    assert "leaves the workspace" in verdict["warnings"][0]


def test_a_full_disk_is_told_before_the_work_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(beneath, "write_file", full)

    told = at_work(order(tmp_path, sh("echo never")), {"x": b""})

    assert told[-1][1]["ended_by"] == "disk_full"


def test_a_link_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "deps" / "node_modules").mkdir(parents=True)

    told = at_work(order(tmp_path / "ws", links_from=str(tmp_path / "deps")), {"node_modules": b"a file"})

    assert told[-1][1]["ended_by"] == "killed"


@pytest.mark.parametrize(
    ("counters", "step", "how"),
    [
        ({"oom_kills": 1}, sh("exit 1"), (None, "oom")),
        ({"machine_oom_kills": 1}, sh("kill -9 $$"), (None, "oom")),
        ({"machine_oom_kills": 1}, sh("exit 137"), (None, "oom")),
        ({"machine_oom_kills": 1}, sh("exit 1"), (1, "exit")),
        ({"pids_refused": 1}, sh("exit 1"), (None, "pids")),
        ({"oom_kills": 1}, sh("exit 0"), (0, "exit")),
    ],
)
def test_the_kernels_counters_say_why(
    counters: dict[str, int],
    step: dict[str, Any],
    how: tuple[int | None, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    none = {"oom_kills": 0, "machine_oom_kills": 0, "pids_refused": 0}
    readings = iter([evidence.Counters(**none), evidence.Counters(**{**none, **counters})])
    monkeypatch.setattr("chef_supervisor.sandboxes.agent.steps.read_counters", lambda: next(readings))

    told = at_work(order(tmp_path, step))

    assert ended(told) == [how]
    assert bool(told[-1][1]["warnings"]) == (how == (0, "exit"))


@pytest.mark.parametrize("ended_after", [b"", b"\1", frames.pack(frames.GO), "order"])
def test_a_line_that_ends_early_ends_the_agent(ended_after: bytes | str, tmp_path: Path) -> None:
    agent = Agent()
    os.write(agent.to_agent, order(tmp_path) if isinstance(ended_after, str) else ended_after)
    os.close(agent.to_agent)

    status, told = agent.run()

    assert (status != 0, told) == (True, [])


def test_a_step_without_a_program_says_so(tmp_path: Path) -> None:
    pid, reading = spawn.spawn(["./none"], str(tmp_path), {}, LimitOrder())
    _, status = os.waitpid(pid, 0)

    said = os.read(reading, 1000)
    os.close(reading)

    assert os.waitstatus_to_exitcode(status) == 127
    assert said == b"cannot run './none': No such file or directory\n"
