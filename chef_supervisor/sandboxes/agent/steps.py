"""Runs the steps one after the other, and says of each how it ended and why."""

from __future__ import annotations

import json
import os
import select
import signal
import time

from .channel import Channel
from .evidence import Counters, Gauge, read_counters
from .frames import ENDED, INDEX, LIVE, MAX_OUTPUT_CHUNK, OUTPUT, PLACE, STARTED, TAIL
from .order import Order, StepOrder
from .output import StepOutput, Tail, Trickle
from .protect import OomScore
from .reap import Children
from .spawn import spawn

_TICK_S = 0.25
# After a small read the pipe is left alone so long: ten million single bytes shall not be ten million reads.
_GATHER_MS = 5
_SMALL_READ = 4096
_SHELL_SAYS_KILLED = 128 + signal.SIGKILL

EXIT, TIMEOUT, OOM, DISK_FULL, PIDS, KILLED = "exit", "timeout", "oom", "disk_full", "pids", "killed"
OUTPUT_LIMIT = "output_limit"


class Steps:
    """One run of an order's steps. `ended_by` is why the run as a whole ended; `warnings` are sentences."""

    def __init__(self, channel: Channel, order: Order, gauge: Gauge, score: OomScore) -> None:
        self._channel = channel
        self._order = order
        self._trickle = Trickle(order.live_bytes_per_s)
        self._output = StepOutput(0, self._trickle)
        self._output_left = order.most_output_bytes
        self._gauge = gauge
        self._children = Children()
        self._score = score
        self._env = _environment(order.env)
        self._pipe = -1
        self.ended_by = EXIT
        self.warnings: list[str] = []

    def run(self) -> None:
        """Run them; the first that fails without `keep_going` is the last."""
        self._children.listen()
        deadline = time.monotonic() + self._order.timeout_s
        for index, step in enumerate(self._order.steps):
            if time.monotonic() >= deadline:
                self.ended_by = TIMEOUT
                return
            exit_code, ended_by = self._run_one(index, step, deadline)
            # Of what is for all steps together, nothing is left for those that follow.
            is_last = ended_by == OUTPUT_LIMIT or (ended_by == TIMEOUT and time.monotonic() >= deadline)
            if is_last or ((ended_by, exit_code) != (EXIT, 0) and not step.keep_going):
                self.ended_by = ended_by
                return

    def _run_one(self, index: int, step: StepOrder, deadline: float) -> tuple[int | None, str]:
        began, before = time.monotonic(), read_counters()
        self._gauge.reset()
        self._output = StepOutput(self._order.step_output_bytes, self._trickle)
        self._channel.send(STARTED, INDEX.pack(index))
        self._score.as_step()
        cwd = os.path.join(self._order.root, step.cwd)
        pid, self._pipe = spawn(step.argv, cwd, {**self._env, **step.env}, self._order.limits)
        self._score.as_agent()
        status = self._attend(index, pid, min(deadline, began + step.timeout_s))
        self._gauge.sample()
        self._children.sweep(pid)
        self._drain(index)
        exit_code, ended_by = self._judge(status, before)
        self._send_tail(index, self._output.tail)
        ended = {"index": index, "exit_code": exit_code, "ended_by": ended_by, "ms": _ms_since(began)}
        self._channel.send(ENDED, json.dumps({**ended, "dropped_bytes": self._output.tail.dropped}).encode())
        return exit_code, ended_by

    def _attend(self, index: int, pid: int, deadline: float) -> int | None:
        """Returns: the wait status of the step; None where it reached its deadline, or printed too much."""
        events, calm = select.poll(), select.poll()
        events.register(self._pipe, select.POLLIN)
        for poller in (events, calm):
            poller.register(self._children.wake, select.POLLIN)
            poller.register(self._channel.source, select.POLLIN)
        sample_at = 0.0
        while (now := time.monotonic()) < deadline and self._output_left >= 0 and not self._gauge.over_disk:
            if now >= sample_at:
                self._gauge.sample()
                sample_at = time.monotonic() + _TICK_S
            ready = {fd for fd, _ in events.poll(min(_TICK_S, deadline - now) * 1000)}
            if self._channel.source in ready:
                self._channel.expect_silence()
            if self._children.wake in ready:
                self._children.clear_wake()
                status = self._children.reap(pid)
                if status is not None:
                    return status
            if self._pipe in ready:
                size = self._read(index)
                if size == 0:
                    events.unregister(self._pipe)
                elif size < _SMALL_READ:
                    calm.poll(_GATHER_MS)
        return None

    def _read(self, index: int) -> int:
        """Returns: the number of bytes read; 0 at the end of the pipe, or where it is empty."""
        try:
            chunk = os.read(self._pipe, MAX_OUTPUT_CHUNK)
        except BlockingIOError:
            return 0
        self._output_left -= len(chunk)
        if head := self._output.head(chunk):
            self._channel.send(OUTPUT, INDEX.pack(index) + head)
        skipped, live = self._output.live(chunk[len(head) :])
        if live:
            self._channel.send(LIVE, PLACE.pack(index, skipped) + live)
        return len(chunk)

    def _send_tail(self, index: int, tail: Tail) -> None:
        content = tail.bytes()
        for start in range(0, len(content), MAX_OUTPUT_CHUNK):
            self._channel.send(TAIL, INDEX.pack(index) + content[start : start + MAX_OUTPUT_CHUNK])

    def _drain(self, index: int) -> None:
        while self._read(index):
            pass
        os.close(self._pipe)

    def _judge(self, status: int | None, before: Counters) -> tuple[int | None, str]:
        now = read_counters()
        killed_for_memory = now.oom_kills > before.oom_kills
        if status is None or self._output_left < 0 or self._gauge.over_disk:
            return None, self._ended_by_us()
        code = os.waitstatus_to_exitcode(status)
        if code == 0:
            if killed_for_memory:
                self.warnings.append("a process was killed for memory although its step ended well")
            return 0, EXIT
        sigkilled = code in (-signal.SIGKILL, _SHELL_SAYS_KILLED)
        if killed_for_memory or (sigkilled and now.machine_oom_kills > before.machine_oom_kills):
            return None, OOM
        if self._gauge.disk_full:
            return None, DISK_FULL
        if self._gauge.pids_full or now.pids_refused > before.pids_refused:
            return None, PIDS
        return (None, KILLED) if code < 0 else (code, EXIT)

    def _ended_by_us(self) -> str:
        if self._output_left < 0:
            return OUTPUT_LIMIT
        return DISK_FULL if self._gauge.over_disk else TIMEOUT


def _environment(ordered: dict[str, str]) -> dict[str, str]:
    # An order can say what is looked at before, or after, the box's own PATH without knowing it.
    path = os.environ.get("PATH", os.defpath)
    return {**os.environ, **ordered, "PATH": ordered.get("PATH", "$PATH").replace("$PATH", path)}


def _ms_since(began: float) -> int:
    return int((time.monotonic() - began) * 1000)
