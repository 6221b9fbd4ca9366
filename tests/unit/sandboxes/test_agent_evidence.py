"""What the agent sees of the kernel's counters and of full disks."""

from __future__ import annotations

from pathlib import Path

import pytest

from chef_supervisor.sandboxes.agent import evidence


def test_fullness_is_remembered_until_the_next_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gauge = evidence.Gauge([str(tmp_path), "/nowhere"], nproc=2)
    monkeypatch.setattr(evidence, "_is_full", lambda _: True)
    gauge.sample()
    monkeypatch.setattr(evidence, "_is_full", lambda _: False)
    gauge.sample()
    assert (gauge.disk_full, gauge.pids_full) == (True, True)

    gauge.reset()

    assert (gauge.disk_full, gauge.pids_full) == (False, False)


def test_counters_are_read_from_the_first_file_that_has_them(tmp_path: Path) -> None:
    events = tmp_path / "memory.events"
    events.write_text("low 0\noom 3\noom_kill 2\n")

    assert evidence._read((str(tmp_path / "absent"), str(events)), b"oom_kill") == 2
    assert evidence._read((str(events),), b"max") == 0
