from __future__ import annotations

import pytest

from chef_supervisor.domain.subscriber import ReceiverName, Subscriber
from chef_supervisor.store import subscribers

SOME = (
    Subscriber(receiver=ReceiverName("convex")),
    Subscriber(receiver=ReceiverName("callback.example.com"), progress=False, url="https://example.com/a?b=c#d"),
)


def test_subscribers_are_as_they_were() -> None:
    assert subscribers.decode(subscribers.encode(SOME).encode()) == SOME


@pytest.mark.parametrize("stored", [None, b""])
def test_nothing_stands_for_none(stored: bytes | None) -> None:
    assert subscribers.encode(()) == ""
    assert subscribers.decode(stored) == ()


@pytest.mark.parametrize("stored", [b"1 convex\n", b"1  \n", b"1 a b c\n", b"\xff"])
def test_what_are_no_subscribers_is_refused(stored: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whichever
        subscribers.decode(stored)
