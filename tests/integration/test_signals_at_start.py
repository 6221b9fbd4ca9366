"""A signal that comes while the service still starts."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import pytest

from tests.kit.service import START_S, STOP_S, started

# Less than what an engine that hangs is waited for.
_SOON_S = 15.0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_start_that_waits_for_an_engine_is_ended_in_order(tmp_path: Path, number: signal.Signals) -> None:
    with socket.socket(socket.AF_UNIX) as engine:
        engine.bind(str(tmp_path / "engine"))
        engine.listen()
        engine.settimeout(START_S)
        env = {"DOCKER_HOST": f"unix://{tmp_path}/engine", "CHEF_SANDBOX": "docker"}
        with started(tmp_path / "state", ready="service.settings", **env) as service:
            # Somebody asks, and is never answered.
            waiting, _ = engine.accept()

            service.process.send_signal(number)

            assert service.process.wait(_SOON_S) == 0
            service.wait_for_event("service.stopped")
            waiting.close()


def test_what_a_start_held_is_free_afterwards(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as engine:
        engine.bind(str(tmp_path / "engine"))
        engine.listen()
        engine.settimeout(START_S)
        env = {"DOCKER_HOST": f"unix://{tmp_path}/engine", "CHEF_SANDBOX": "docker", "CHEF_INSTANCE": "one"}
        for _ in range(2):
            with started(tmp_path / "state", ready="service.settings", **env) as service:
                waiting, _ = engine.accept()
                service.process.send_signal(signal.SIGTERM)
                assert service.process.wait(STOP_S) == 0
                waiting.close()
