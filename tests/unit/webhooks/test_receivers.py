"""Which receivers there are, and how many callbacks at a time."""

from __future__ import annotations

import attrs
import pytest

from chef_supervisor.domain.delivery import ReceiverName
from chef_supervisor.webhooks.policy import callback_name
from chef_supervisor.webhooks.receivers import Receivers
from tests.kit.fake_receiver import FakeReceiver
from tests.kit.virtual_time import now_s, virtual

CONVEX = ReceiverName("convex")
A, B, C = (callback_name(f"{letter}.example.com") for letter in "abc")


@attrs.define(eq=False)
class Made:
    """Makes callbacks."""

    of: dict[str, FakeReceiver] = attrs.field(factory=dict)

    def __call__(self, host: str) -> FakeReceiver:
        self.of[host] = FakeReceiver(callback_name(host))
        return self.of[host]

    def closed(self) -> set[str]:
        return {host[0] for host, one in self.of.items() if one.closed}


def with_callbacks(made: Made) -> Receivers:
    return Receivers(configured=[FakeReceiver(CONVEX)], callback=made, most_callbacks=2, idle_s=60.0)


def test_those_of_the_configuration_are_there_by_their_names() -> None:
    convex = FakeReceiver(CONVEX)
    receivers = Receivers(configured=[convex])

    assert receivers.names == (CONVEX,)
    assert receivers.hold(CONVEX, 0.0) is convex
    assert [receivers.knows(name) for name in (CONVEX, ReceiverName("hook.a"), A)] == [True, False, False]
    assert receivers.hold(A, 0.0) is None


def test_two_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="convex"):
        Receivers(configured=[FakeReceiver(CONVEX), FakeReceiver(CONVEX)])


def test_a_host_has_one_receiver_however_often_it_is_asked_for() -> None:
    made = Made()
    receivers = with_callbacks(made)

    assert receivers.knows(A)
    assert receivers.hold(A, 0.0) is receivers.hold(A, 1.0) is made.of["a.example.com"]


@virtual
async def test_one_that_is_idle_makes_room_for_another_and_one_that_is_held_does_not() -> None:
    made = Made()
    receivers = with_callbacks(made)
    receivers.hold(A, 0.0)
    receivers.hold(A, 0.0)
    receivers.hold(B, 0.0)
    receivers.release(A, 0.5)

    assert receivers.hold(C, 1.0) is None
    assert not receivers.dropped.is_set()
    receivers.release(B, 1.5)
    assert receivers.hold(C, 1.6) is None
    assert receivers.dropped.is_set()
    await receivers.tidy(1.6)
    assert receivers.hold(C, 1.6) is not None
    assert (made.closed(), receivers.dropped.is_set()) == ({"b"}, False)


@virtual
async def test_the_one_that_was_idle_longest_goes_first() -> None:
    made = Made()
    receivers = with_callbacks(made)
    for name, at_s in ((A, 5.0), (B, 1.0)):
        receivers.hold(name, 0.0)
        receivers.release(name, at_s)
    receivers.hold(C, 6.0)
    await receivers.tidy(6.0)

    assert made.closed() == {"b"}


@virtual
async def test_those_that_nobody_needs_go_after_a_while() -> None:
    made = Made()
    receivers = with_callbacks(made)
    receivers.hold(A, 0.0)
    receivers.hold(B, 0.0)
    receivers.release(B, 10.0)
    await receivers.tidy(69.9)
    assert made.closed() == set()

    await receivers.tidy(70.0)
    assert made.closed() == {"b"}
    assert receivers.hold(B, 71.0) is not None


@virtual
async def test_closing_closes_all_also_where_one_hangs() -> None:
    made = Made()
    receivers = with_callbacks(made)
    receivers.hold(A, 0.0)
    receivers.hold(B, 0.0)
    made.of["a.example.com"].closing_hangs = True
    await receivers.close()

    assert made.closed() == {"b"}
    assert receivers.configured[0].closed  # type: ignore[attr-defined]
    assert now_s() == 2.0


def many(letter: str, count: int) -> list[ReceiverName]:
    return [callback_name(f"{letter}{number}.example.com") for number in range(count)]


def test_those_that_are_silent_for_two_seconds_keep_no_others_out_up_to_twice_as_many() -> None:
    receivers = with_callbacks(Made())
    silent = many("s", 6)
    for at_s, pair in enumerate((silent[:2], silent[2:4], silent[4:])):
        assert all(receivers.hold(name, 2.0 * at_s) for name in pair)
        assert receivers.hold(A, 2.0 * at_s + 1.9) is None

    assert receivers.hold(A, 100.0) is None


@virtual
async def test_silent_ones_that_answer_after_all_make_room_again() -> None:
    made = Made()
    receivers = with_callbacks(made)
    silent = many("s", 6)
    for number, name in enumerate(silent):
        assert receivers.hold(name, float(number // 2 * 2))
    for name in silent:
        receivers.release(name, 20.0)

    assert receivers.hold(A, 20.0) is None
    await receivers.tidy(20.0)
    assert len([one for one in made.of.values() if one.closed]) == 5
    assert receivers.hold(A, 20.0) is not None
