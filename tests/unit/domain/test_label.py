"""A job's id survives being a host name."""

from __future__ import annotations

import re

import pytest

from chef_supervisor.domain.errors import UnknownJob
from chef_supervisor.domain.job import QueueName, new_job_id
from chef_supervisor.domain.label import job_of, label_of

# Source: RFC 1123, section 2.1, and RFC 5891, section 4.2.3.1.
HOST_LABEL = re.compile(r"(?!..--)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@pytest.mark.parametrize("queue", ["builds", "b", "xn", "a--b", "a-1", "q" * 32])
@pytest.mark.parametrize("random", [bytes(16), b"\xff" * 16, bytes(range(16))])
def test_a_label_is_a_host_name_and_the_id_again(queue: str, random: bytes) -> None:
    job_id = new_job_id(QueueName(queue), random)

    assert HOST_LABEL.fullmatch(label_of(job_id))
    assert job_of(label_of(job_id)) == job_id
    assert job_of(label_of(job_id).upper()) == job_id


@pytest.mark.parametrize("label", ["", "www", "a" * 26, "a" * 26 + "--", "a" * 25 + "--builds", "1" * 26 + "--builds"])
def test_what_is_no_label_of_a_job_is_refused(label: str) -> None:
    with pytest.raises(UnknownJob):
        job_of(label)
