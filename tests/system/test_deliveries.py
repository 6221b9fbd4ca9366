"""The service as it is started, and an endpoint of its configuration."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from tests.kit.hook_kit import SECRET
from tests.kit.raw_web import raw_web, says
from tests.kit.service import started

FILES = {"package.json": json.dumps({"scripts": {"build": "true"}})}


def job_told_of(state_dir: Path, port: int) -> dict[str, Any]:
    """Returns: a job whose end was delivered to that port."""
    told = {"CHEF_WEBHOOKS_URL": f"http://127.0.0.1:{port}/told", "CHEF_WEBHOOKS_SECRETS": SECRET}
    nothing_runs = {"NODE_ENV": "test", "CHEF_SANDBOX": "null", "CHEF_LOG_LEVEL": "debug"}
    with started(state_dir, "--embedded-redis", **told, **nothing_runs) as service:
        job_id = service.submit("build", FILES, progress=False)
        service.wait_for_event("delivery.taken", job_id=job_id)
        return service.result_of(job_id)


@pytest.mark.asyncio
async def test_the_end_of_a_job_reaches_the_endpoint_signed(tmp_path: Path) -> None:
    async with raw_web(says(204)) as web:
        job = await asyncio.to_thread(job_told_of, tmp_path, web.port)

    [request] = web.received
    event = Webhook(SECRET).verify(request.body, dict(request.headers))
    assert (event["type"], event["data"]["jobId"]) == ("job.completed", job["jobId"])
    [delivery] = job["deliveries"]
    assert (delivery["receiver"], delivery["status"], delivery["tries"]) == ("hook.default", "delivered", 1)
