from __future__ import annotations

import pytest

from chef_supervisor.domain.job import JobType, NewJob, QueueName, Tenant, new_job_id
from chef_supervisor.domain.subscriber import MAX_SUBSCRIBERS, ReceiverName, Subscriber


def a_job(*subscribers: Subscriber) -> NewJob:
    job_id = new_job_id(QueueName("builds"), b"0" * 16)
    return NewJob(job_id=job_id, type=JobType.BUILD, tenant=Tenant("a"), payload=b"", subscribers=subscribers)


def to(name: str) -> Subscriber:
    return Subscriber(receiver=ReceiverName(name))


@pytest.mark.parametrize("name", ["", "a b", "a\nb", "a\u2028b", "a\0"])
def test_the_name_of_a_receiver_is_one_word(name: str) -> None:
    with pytest.raises(ValueError, match="receiver of a subscriber"):
        to(name)


def test_an_address_is_one_word_or_none_and_is_never_shown() -> None:
    with pytest.raises(ValueError, match="url of a subscriber") as refused:
        Subscriber(receiver=ReceiverName("a"), url="https://a/\nsecret")

    assert "secret" not in str(refused.value)
    assert "secret" not in repr(Subscriber(receiver=ReceiverName("a"), url="https://a/secret"))


def test_a_job_has_so_many_subscribers_at_most_and_each_once() -> None:
    names = [to(f"hook.{number}") for number in range(MAX_SUBSCRIBERS + 1)]
    assert len(a_job(*names[:-1]).subscribers) == MAX_SUBSCRIBERS

    with pytest.raises(ValueError, match="8 subscribers, not 9"):
        a_job(*names)
    with pytest.raises(ValueError, match="another receiver"):
        a_job(names[0], names[0])
