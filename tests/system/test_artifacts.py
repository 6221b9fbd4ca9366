"""What a job makes can be downloaded and looked at as long as the job is known, and is gone afterwards."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from chef_supervisor.domain.job import JobId
from chef_supervisor.domain.label import label_of
from tests.kit.service import Service, started, told

SCRIPT = """
const fs = require("fs");
fs.mkdirSync("dist/assets", { recursive: true });
fs.writeFileSync("dist/index.html", "<!doctype html><script type=module src=/assets/app.js></script>");
fs.writeFileSync("dist/assets/app.js", "document.title = 'built'");
fs.writeFileSync("dist/assets/large.bin", Buffer.alloc(7_000_001, 120));
"""
FILES = {"package.json": '{"name": "x", "scripts": {"build": "node make.js"}}', "make.js": SCRIPT}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    state_dir = tmp_path_factory.mktemp("state")
    quickly = {"CHEF_RETENTION_MAX_JOBS": "1", "CHEF_ARTIFACTS_SWEEP_S": "0.2"}
    with started(state_dir, "--embedded-redis", CHEF_SANDBOX="bubblewrap", **quickly) as running:
        yield running


def test_a_built_site_is_kept_shown_and_forgotten_with_its_job(service: Service) -> None:
    job = service.run("build", FILES)
    job_id = JobId(job["jobId"])
    listed = {artifact["path"]: artifact for artifact in job["result"]["artifacts"]}
    with service.client() as client:
        assert listed.keys() == {"dist/index.html", "dist/assets/app.js", "dist/assets/large.bin"}, told(job)
        check_downloads(client, job_id, listed)
        check_preview(client, job_id)

        service.run("build", FILES)
        service.wait_for_event("artifacts.forgotten")

        assert client.get(f"/api/jobs/{job_id}/artifacts").status_code == httpx.codes.NOT_FOUND
    assert not list((service_state(service)).glob(f"artifacts/*/{job_id}"))


def service_state(service: Service) -> Path:
    return Path(service.wait_for_event("service.settings")["state_dir"])


def check_downloads(client: httpx.Client, job_id: JobId, listed: dict[str, dict[str, object]]) -> None:
    base = f"/api/jobs/{job_id}/artifacts"
    assert client.get(base).json() == {"artifacts": list(listed.values())}
    large = client.get(f"{base}/dist/assets/large.bin")
    assert hashlib.sha256(large.content).hexdigest() == listed["dist/assets/large.bin"]["sha256"]
    packed = client.get(base, params={"format": "tar.gz"})
    with tarfile.open(fileobj=io.BytesIO(packed.content), mode="r:gz") as archive:
        assert archive.getnames() == list(listed)


def check_preview(client: httpx.Client, job_id: JobId) -> None:
    to = client.get(f"/preview/{job_id}/")
    assert to.status_code == httpx.codes.TEMPORARY_REDIRECT
    host = to.headers["location"].strip("/")
    assert host.startswith(f"{label_of(job_id)}.preview.localhost:")
    page = client.get("/", headers={"host": host})
    assert page.status_code == httpx.codes.OK
    assert "type=module" in page.text
    script = client.get("/assets/app.js", headers={"host": host, "origin": "null"})
    assert (script.text, script.headers["access-control-allow-origin"]) == ("document.title = 'built'", "*")
