"""The first command of the README, as a person runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_demo_passes_all_its_jobs_and_leaves_nothing_running() -> None:
    environment = {name: value for name, value in os.environ.items() if name not in {"PORT", "REDIS_HOST"}}

    ended = subprocess.run(
        [sys.executable, "scripts/demo"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "dist/index.html" in ended.stdout
