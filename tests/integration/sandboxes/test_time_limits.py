"""A job over its time ends as `timeout`, and what it printed until then is kept: the whole way, in a real box."""

from __future__ import annotations

import secrets

import pytest

from chef_supervisor.domain.assignment import Assignment
from chef_supervisor.domain.job import Claim, Fence, JobOptions, JobStatus, JobType, QueueName, Tenant, new_job_id
from chef_supervisor.domain.outcome import Outcome, StepStatus
from chef_supervisor.domain.payload import pack
from chef_supervisor.engine.plan import Budget
from chef_supervisor.engine.toolchains import load_toolchains
from chef_supervisor.sandboxes.sandbox import Sandbox
from chef_supervisor.sandboxes.watched import WatchedSandbox
from chef_supervisor.settings import FileLimits, default_config
from chef_supervisor.workshop import Onlooker, Workshop
from tests.integration.sandboxes.boxes import LIMITS
from tests.kit.installer import make_installer
from tests.kit.performing import perform

pytestmark = pytest.mark.asyncio

# Time enough for the tool to start and print, also on a busy machine.
SHORT_MS = 6_000
FILES = {"package.json": b'{"name": "x", "scripts": {"test": "echo so far so good && sleep 600"}}'}


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(JobOptions(timeout_ms=SHORT_MS), id="all steps together"),
        pytest.param(JobOptions(step_timeout_ms=SHORT_MS), id="one step"),
    ],
)
async def test_a_job_over_its_time_keeps_what_it_printed(sandbox: Sandbox, options: JobOptions) -> None:
    claim = Claim(
        job_id=new_job_id(QueueName("tests"), secrets.token_bytes(16)),
        type=JobType.TEST,
        tenant=Tenant("t"),
        fence=Fence(1, "nonce"),
        runs=1,
        options=options,
        created_at_ms=0,
        payload=pack(Assignment(files=FILES)),
    )

    outcome = await perform(workshop(sandbox), claim, Onlooker(lambda _: None, lambda *_: None))

    assert isinstance(outcome, Outcome)
    assert outcome.status is JobStatus.TIMEOUT
    assert outcome.result.steps[-1].status is StepStatus.TIMEOUT
    assert "so far so good\n" in outcome.result.output.head + outcome.result.output.tail


def workshop(sandbox: Sandbox) -> Workshop:
    watched = WatchedSandbox(sandbox)
    return Workshop(
        sandbox=watched,
        toolchains=load_toolchains(default_config() / "toolchains"),
        budget=Budget(steps_timeout_s=300, install_timeout_s=60),
        job_limits=LIMITS,
        file_limits=FileLimits(max_files=10, max_file_bytes=1000, max_total_bytes=5000),
        installer=make_installer(watched, LIMITS),
    )
