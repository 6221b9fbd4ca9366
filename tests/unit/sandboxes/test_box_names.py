"""The names of boxes that were started ahead of need say what they are for."""

from __future__ import annotations

import pytest

from chef_supervisor.domain.job import JobId, QueueName, RunId, new_job_id
from chef_supervisor.sandboxes.docker.box_names import Taken, read_taken, taken_name

JOB: JobId = new_job_id(QueueName("long-queue-2"), b"0123456789abcdef")
KEY = 40 * "a"


@pytest.mark.parametrize("key", ["", KEY])
@pytest.mark.parametrize("prefix", ["chef", "chef-unpack"])
def test_a_name_says_which_run_has_it_and_what_that_depends_on(prefix: str, key: str) -> None:
    assert read_taken(taken_name(f"{prefix}-{JOB}-12", key)) == Taken(RunId(JOB, 12), key)


@pytest.mark.parametrize("name", ["", "chef-warm-0123", f"chef-{JOB}", f"chef-{JOB}-x", f"chef-{JOB}-1.short", "other"])
def test_any_other_name_says_nothing(name: str) -> None:
    assert read_taken(name) is None
