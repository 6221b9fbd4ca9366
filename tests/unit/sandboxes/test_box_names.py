"""The names of boxes that were started ahead of need say what they are for."""

from __future__ import annotations

import pytest

from chef_supervisor.domain.job import QueueName, RunId, new_job_id
from chef_supervisor.sandboxes.docker.box_names import Taken, read_taken, taken_name
from chef_supervisor.sandboxes.sandbox import BoxOrder, Limits, Role

LIMITS = Limits(memory_bytes=1, cpus=1, pids=1, workspace_bytes=1)
KEY = 40 * "a"


@pytest.mark.parametrize("key", ["", KEY])
@pytest.mark.parametrize("prefix", ["chef", "chef-unpack"])
@pytest.mark.parametrize("queue", ["builds", "unpack-builds", "chef"])
def test_a_name_says_which_run_has_it_and_what_that_depends_on(queue: str, prefix: str, key: str) -> None:
    job = new_job_id(QueueName(queue), b"0123456789abcdef")
    labels = {"chef.job": job, "chef.run": "12"}
    order = BoxOrder(name=f"{prefix}-{job}-12", role=Role.JOB, limits=LIMITS, labels=labels)

    assert read_taken(taken_name(order, key)) == Taken(RunId(job, 12), key)


def test_what_is_of_no_run_keeps_its_name() -> None:
    assert taken_name(BoxOrder(name="chef-probe-1", role=Role.JOB, limits=LIMITS), KEY) == "chef-probe-1"


@pytest.mark.parametrize("name", ["", "chef-warm-0123", "chef.builds.0_x-1.chef", "chef-builds.0_" + 26 * "a" + "-1"])
def test_any_other_name_says_nothing(name: str) -> None:
    assert read_taken(name) is None
