"""F20 to F22: the engine is stopped, killed, or hangs, and comes back, under a service that runs jobs."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import httpx
import psutil
import pytest

from tests.kit.docker_faults import completed, eventually, health, nothing_is_wrong, on_docker, order_of, running
from tests.kit.own_engine import OwnEngine

pytestmark = [pytest.mark.docker, pytest.mark.slow]

# The engine's threads of a process with one slot, and those that come and go.
MOST_THREADS: Final = 2 * 1 + 8 + 8
# A request does not wait for the engine; the machine may be busy.
PROMPT_S: Final = 5.0
# Promised: the grace and 10 s more.
EXIT_S: Final = 1.0 + 10.0


@pytest.mark.parametrize("end", [OwnEngine.stop, OwnEngine.kill])
def test_f20_an_engine_that_goes_away_costs_no_job_and_comes_back_by_itself(
    engine: OwnEngine, tmp_path: Path, end: Callable[[OwnEngine], None]
) -> None:
    with on_docker(tmp_path, engine.host) as deployment:
        service = deployment.serve()
        ran = running(deployment, service, 3)

        end(engine)

        service.wait_for_event("sandbox.away")
        told = health(service)
        assert (told["status"], told["redis"]) == ("degraded", "connected")
        assert any("Docker" in reason for reason in told["reasons"])
        waits = deployment.submit(service)
        engine.start()
        completed(service, ran, waits)
        back, claimed = order_of(service, ("sandbox.back", ""), ("job.processing", waits))
        assert back < claimed
        assert health(service)["status"] == "healthy"
        nothing_is_wrong(deployment, engine.host)
        eventually(lambda: engine.containers() == [], "nothing is left in the engine")


def test_f20_an_engine_that_stops_while_nothing_runs_spoils_no_run(engine: OwnEngine, tmp_path: Path) -> None:
    with on_docker(tmp_path, engine.host) as deployment:
        service = deployment.serve()
        engine.stop()
        service.wait_for_event("sandbox.away")

        waits = deployment.submit(service)
        engine.start()

        job = service.result_of(waits)
        assert (job["status"], job["runs"]) == ("completed", 1)
        assert not [record for record in service.records if record.get("event") == "job.spoilt"]
        nothing_is_wrong(deployment, engine.host)


def test_f21_an_engine_that_hangs_holds_up_nothing_but_its_jobs(engine: OwnEngine, tmp_path: Path) -> None:
    with on_docker(tmp_path, engine.host, MAX_CONCURRENT_WORKERS="1") as deployment:
        service = deployment.serve()
        process = psutil.Process(service.process.pid)
        ran = running(deployment, service, 3)
        before = process.num_threads()

        engine.pause()

        service.wait_for_event("sandbox.away")
        assert any("did not answer" in reason for reason in health(service)["reasons"])
        waits = [deployment.submit(service) for _ in range(20)]
        with service.client() as client:
            for _ in range(20):
                began = time.monotonic()
                assert client.get("/api/stats").status_code == httpx.codes.OK
                assert time.monotonic() - began < PROMPT_S
                assert process.num_threads() - before <= MOST_THREADS
        engine.resume()
        completed(service, ran, *waits)
        nothing_is_wrong(deployment, engine.host)


def test_f21_an_engine_that_hangs_does_not_delay_the_exit(engine: OwnEngine, tmp_path: Path) -> None:
    with on_docker(tmp_path, engine.host, CHEF_WORKER_GRACE_S="1") as deployment:
        service = deployment.serve()
        ran = running(deployment, service, 5)
        engine.pause()

        began = time.monotonic()
        code = service.stop()

        assert code == 0
        assert time.monotonic() - began < EXIT_S + PROMPT_S
        engine.resume()
        # What it could not remove is removed by its next process, and the job is run again.
        again = deployment.serve()
        job = again.result_of(ran)
        assert job["status"] == "completed"
        nothing_is_wrong(deployment, engine.host)


@pytest.mark.parametrize("end", [OwnEngine.stop, OwnEngine.kill])
def test_f22_an_engine_that_is_restarted_over_live_boxes_has_none_of_them_twice(
    engine: OwnEngine, tmp_path: Path, end: Callable[[OwnEngine], None]
) -> None:
    engine.stop()
    engine.start("--live-restore")
    with on_docker(tmp_path, engine.host) as deployment:
        service = deployment.serve()
        ran = running(deployment, service, 3)

        end(engine)
        service.wait_for_event("sandbox.away")
        engine.start("--live-restore")

        completed(service, ran)
        nothing_is_wrong(deployment, engine.host)
        eventually(lambda: engine.containers() == [], "nothing is left in the engine")
