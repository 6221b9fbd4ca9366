"""A job's identity and status."""

import base64

import pytest

from chef_supervisor.domain.errors import UnknownJob
from chef_supervisor.domain.job import JobStatus, QueueName, new_job_id, queue_of


def test_a_job_id_carries_its_queue() -> None:
    job_id = new_job_id(QueueName("builds"), bytes(range(16)))

    assert queue_of(job_id) == "builds"


def test_a_job_id_has_26_characters_of_its_random_bytes() -> None:
    job_id = new_job_id(QueueName("lint"), b"\xff" * 16)

    assert job_id == "lint.0_" + "7" * 25 + "4"


@pytest.mark.parametrize("random", [bytes(16), bytes(range(16)), b"\x80" + bytes(14) + b"\x01"])
def test_a_job_id_is_its_random_bytes_in_base32(random: bytes) -> None:
    expected = base64.b32encode(random).decode().lower().removesuffix("======")

    assert new_job_id(QueueName("builds"), random) == f"builds.0_{expected}"


def test_a_job_id_of_too_little_randomness_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="16 random bytes"):
        new_job_id(QueueName("builds"), b"short")


@pytest.mark.parametrize(
    "text", ["", "*", "builds", "builds.0_", "builds.1_" + "a" * 26, "{q}.0_" + "a" * 26, "builds.0_" + "A" * 26]
)
def test_a_text_that_is_no_id_is_unknown_without_asking_anybody(text: str) -> None:
    with pytest.raises(UnknownJob):
        queue_of(text)


def test_only_the_last_four_statuses_are_terminal() -> None:
    terminal = {status for status in JobStatus if status.terminal}

    assert terminal == set(JobStatus) - {JobStatus.PENDING, JobStatus.PROCESSING}
