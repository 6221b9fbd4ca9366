"""The secrets of a job: sealed in Redis, and nowhere in what the job prints, hands back, or leaves in the log."""

from __future__ import annotations

import base64
import hashlib
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from chef_supervisor.domain.job import QueueName
from chef_supervisor.domain.outcome import Cause, Outcome
from chef_supervisor.domain.payload import unpack
from chef_supervisor.domain.work import BoxEvent, StepOutput
from chef_supervisor.workshop import Onlooker
from tests.integration.api.redis_kit import serving_on
from tests.integration.dependencies.conftest import MakeSandbox
from tests.kit.performing import perform
from tests.kit.redis_servers import REDIS_62, RedisProcess, running_process
from tests.kit.shell_toolchain import QUIET, claim_of, make_workshop, project, shell_toolchain

pytestmark = pytest.mark.asyncio
TOKEN = "npm_s3cret-enough"
# Prints it in every way, also in a lock file, and proves that it was there.
LEAKS = f"""
test "$(printf %s "$NPM_TOKEN" | sha256sum | cut -c 1-16)" = {hashlib.sha256(TOKEN.encode()).hexdigest()[:16]} || exit 9
env; echo "Authorization: Bearer $NPM_TOKEN"; printf %s "user:$NPM_TOKEN" | base64; echo "from $NPM_TOKEN" > lock
"""


@pytest.fixture
def redis() -> Iterator[RedisProcess]:
    with running_process(REDIS_62) as server:
        yield server


async def all_of(client: Redis) -> bytes:
    """Returns: all that Redis holds, as it holds it and as it says it."""
    held = [key + await client.dump(key) async for key in client.scan_iter()]
    return b"\n".join(held)


async def test_redis_has_them_sealed_only_and_the_result_not_at_all(
    redis: RedisProcess, make_sandbox: MakeSandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    workshop = make_workshop(make_sandbox(), shell_toolchain(tmp_path / "toolchains"))
    told: list[BoxEvent] = []
    files = {path: text.decode() for path, text in project(install=LEAKS, lock="").items()}
    body = {"type": "build", "data": {"chatId": "rich", "projectFiles": files, "env": {"NPM_TOKEN": TOKEN}}}

    async with serving_on(redis, seal=workshop.installer.sealer.seal) as on:
        posted = await on.client.post("/api/jobs", json=body)
        async with Redis(unix_socket_path=redis.config().unix_socket, db=redis.config().database) as client:
            waiting = await all_of(client)
            [claim] = await on.worker.claim(QueueName("builds"), 1)
            outcome = await perform(workshop, claim, Onlooker(lambda _: None, lambda _, event: told.append(event)))
            assert isinstance(outcome, Outcome)
            await on.worker.finish(claim.job_id, claim.fence, outcome)
            finished = await all_of(client)
        answer = await on.client.get(f"/api/jobs/{claim.job_id}")

    assert (posted.status_code, outcome.result.cause) == (201, None), outcome.result
    payload = unpack(claim.payload)
    assert workshop.installer.sealer.open(payload.secrets) == {"NPM_TOKEN": TOKEN}
    everything = [waiting, finished, claim.payload, answer.content, repr(told).encode(), repr(outcome).encode()]
    everything += [caplog.text.encode(), *(repr(record.__dict__).encode() for record in caplog.records)]
    for found in everything:
        assert TOKEN.encode() not in found
        assert base64.b64encode(f"user:{TOKEN}".encode())[7:20] not in found
    assert b"Bearer ***" in b"".join(event.chunk for event in told if isinstance(event, StepOutput))


async def test_scripts_that_find_a_secret_cannot_have_it_told_to_whoever_uses_the_dependencies(
    make_sandbox: MakeSandbox, tmp_path: Path
) -> None:
    workshop = make_workshop(make_sandbox(), shell_toolchain(tmp_path / "toolchains"))
    files = project(install='echo "$NPM_TOKEN" > found', scripts="echo found $(cat found); exit 1")
    sealed = workshop.installer.sealer.seal({"NPM_TOKEN": TOKEN})

    for number in range(2):
        outcome = await perform(workshop, claim_of(files, number, sealed=sealed), QUIET)

        assert isinstance(outcome, Outcome)
        assert any("found ***" in warning for warning in outcome.result.warnings), outcome.result
        assert TOKEN not in repr(outcome)


async def test_secrets_that_were_sealed_with_another_key_end_the_job_with_a_sentence(
    make_sandbox: MakeSandbox, tmp_path: Path
) -> None:
    toolchains = shell_toolchain(tmp_path / "toolchains")
    ours, theirs = (make_workshop(make_sandbox(), toolchains) for _ in range(2))

    outcome = await perform(ours, claim_of(project(), sealed=theirs.installer.sealer.seal({"TOKEN": TOKEN})), QUIET)

    assert isinstance(outcome, Outcome)
    assert outcome.result.cause is Cause.INFRASTRUCTURE
    assert "give every API and worker process the same CHEF_SECRETS_KEY" in outcome.result.message
