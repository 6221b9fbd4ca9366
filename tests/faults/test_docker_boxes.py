"""F26 to F29: a box that cannot be removed, a line that is cut, an image that is gone, a disk that is full."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import docker
import pytest

from tests.kit.docker_engine import missing, require_image
from tests.kit.docker_faults import (
    completed,
    eventually,
    health,
    nothing_is_wrong,
    on_docker,
    order_of,
    remove_boxes,
    running,
)
from tests.kit.engine_proxy import EngineProxy, engine_proxy
from tests.kit.invariants import containers_of
from tests.kit.own_engine import RUNNER_IMAGE, own_engine
from tests.kit.service import told

pytestmark = pytest.mark.docker


@pytest.fixture
def host() -> str:
    """Returns: an engine that others use too, so it is not to be broken."""
    return require_image(RUNNER_IMAGE)


@pytest.fixture
def proxy(host: str, tmp_path: Path) -> Iterator[EngineProxy]:
    """Yields: a way to it that may be broken."""
    if not host.startswith("unix://"):
        missing(f"the proxy listens on a unix socket, and {host} is none")
    with engine_proxy(host, tmp_path) as made:
        yield made


@pytest.fixture
def image(host: str) -> Iterator[str]:
    """Yields: another name of the runner image."""
    repository, tag = RUNNER_IMAGE.partition(":")[0], f"test-{secrets.token_hex(4)}"
    client = docker.APIClient(base_url=host)
    client.tag(RUNNER_IMAGE, repository, tag)
    yield f"{repository}:{tag}"
    client.tag(RUNNER_IMAGE, repository, tag)
    client.remove_image(f"{repository}:{tag}")
    client.close()


def test_f26_a_box_that_cannot_be_removed_is_told_of_once_and_holds_no_slot(
    host: str, proxy: EngineProxy, tmp_path: Path
) -> None:
    with on_docker(tmp_path, proxy.host, MAX_CONCURRENT_WORKERS="1") as deployment:
        service = deployment.serve()
        # Killing it alone is refused as well.
        proxy.refuses = re.compile(rb"DELETE \S+/containers/|POST \S+/containers/\w+/kill")
        try:
            completed(service, deployment.submit(service))
            service.wait_for_event("box.left_behind")
            completed(service, deployment.submit(service))

            quarantined = service.wait_for_event("box.quarantined")
            assert quarantined["level"] == "error"
            tries = len(proxy.refused)
            eventually(lambda: len(proxy.refused) > tries + 4, "it is tried again")
            handles = [record["handle"] for record in service.records if record.get("event") == "box.quarantined"]
            assert len(handles) == len(set(handles))
            assert health(service)["status"] == "healthy"

            proxy.refuses = None
            service.wait_for_event("orphan.removed", handle=quarantined["handle"])
            nothing_is_wrong(deployment, host)
        finally:
            remove_boxes(host, deployment.accepted)


def test_f27_a_line_that_is_cut_is_no_verdict_and_the_job_runs_again(
    host: str, proxy: EngineProxy, tmp_path: Path
) -> None:
    # Those of boxes that wait would be cut too.
    with on_docker(tmp_path, proxy.host, CHEF_SANDBOX_WARM="0") as deployment:
        service = deployment.serve()
        job_id = running(deployment, service, 2)

        assert proxy.cut_lines_to_boxes() == 1

        service.wait_for_event("job.spoilt", job_id=job_id)
        job = service.result_of(job_id)
        assert (job["status"], job["runs"], job["failures"]) == ("completed", 2, 0), told(job)
        nothing_is_wrong(deployment, host)


def test_f28_an_image_that_is_gone_is_not_pulled_and_no_fault_of_a_job(host: str, image: str, tmp_path: Path) -> None:
    with on_docker(tmp_path, host, CHEF_SANDBOX_IMAGE=image) as deployment:
        service = deployment.serve()
        client = docker.APIClient(base_url=host)
        client.remove_image(image)

        job_ids = [deployment.submit(service) for _ in range(3)]

        service.wait_for_event("sandbox.away")
        answer = health(service)
        assert answer["status"] == "degraded"
        assert any("no such image" in reason for reason in answer["reasons"])
        assert not client.images(image)
        repository, _, tag = image.partition(":")
        client.tag(RUNNER_IMAGE, repository, tag)
        completed(service, *job_ids)
        [back] = order_of(service, ("sandbox.back", ""))
        assert all(claimed > back for claimed in order_of(service, *(("job.processing", one) for one in job_ids)))
        nothing_is_wrong(deployment, host)
        client.close()


def fill(path: Path) -> None:
    """Write a file until nothing more can be written beside it."""
    with path.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            with suppress(OSError):
                while file.write(bytes(size)) == size:
                    pass


@pytest.mark.slow
def test_f29_a_full_disk_of_the_engine_is_no_fault_of_a_job(tmp_path: Path) -> None:
    with own_engine(RUNNER_IMAGE, data_bytes=1 << 30) as engine, on_docker(tmp_path, engine.host) as deployment:
        service = deployment.serve()
        filler = engine.data / "filler"
        fill(filler)

        job_id = deployment.submit(service)

        service.wait_for_event("sandbox.away")
        assert any("no space left" in reason for reason in health(service)["reasons"])
        assert not containers_of(engine.host, [job_id])
        filler.unlink()
        completed(service, job_id)
        nothing_is_wrong(deployment, engine.host)
