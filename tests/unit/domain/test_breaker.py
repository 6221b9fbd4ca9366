"""When a receiver is left alone, for how long, and what lets it be told again."""

from __future__ import annotations

import attrs
import pytest

from chef_supervisor.domain.breaker import Breaker
from chef_supervisor.domain.delivery import Answer, Answered

TAKEN = Answer(answered=Answered.TAKEN)
FAILED = Answer(answered=Answered.FAILED, reason="http_500")
MANY = 8


def overloaded(retry_after_s: float | None, *, shared: bool = False) -> Answer:
    return Answer(
        answered=Answered.FAILED, reason="http_429", throttled=True, retry_after_s=retry_after_s, shared=shared
    )


def fail(breaker: Breaker, times: int, now_s: float = 0.0, chance: float = 0.0) -> list[bool]:
    return [breaker.answered(breaker.begin(now_s), FAILED, now_s, chance) for _ in range(times)]


def opened(now_s: float = 0.0) -> Breaker:
    breaker = Breaker()
    assert fail(breaker, 5, now_s)[-1]
    return breaker


def test_the_fifth_failure_in_a_row_opens_it() -> None:
    breaker = Breaker()

    assert fail(breaker, 5) == [False, False, False, False, True]
    assert (breaker.allows(MANY, 4.9), breaker.allows(MANY, 5.0)) == (0, 1)


@pytest.mark.parametrize("answered", [Answered.TAKEN, Answered.REFUSED, Answered.GONE])
def test_any_word_of_a_receiver_that_is_there_ends_the_row(answered: Answered) -> None:
    breaker = Breaker()
    fail(breaker, 4)
    breaker.answered(breaker.begin(0), Answer(answered=answered), 0, 0)

    assert fail(breaker, 4) == [False] * 4
    assert breaker.allows(MANY, 0) == MANY


def test_pauses_double_from_five_seconds_to_five_minutes_less_up_to_half_by_chance() -> None:
    pauses: dict[float, list[float]] = {}
    for chance in (0.0, 1.0):
        breaker, now_s = Breaker(), 0.0
        fail(breaker, 4)
        pauses[chance] = []
        for _ in range(9):
            fail(breaker, 1, now_s, chance)
            assert breaker.until_s is not None
            pauses[chance].append(breaker.until_s - now_s)
            now_s = breaker.until_s

    assert pauses[0.0] == [5, 10, 20, 40, 80, 160, 300, 300, 300]
    assert pauses[1.0] == [pause / 2 for pause in pauses[0.0]]


def test_after_the_pause_one_try_is_let_through_and_no_more_until_it_is_answered() -> None:
    breaker = opened()
    ticket = breaker.begin(6)

    assert breaker.allows(MANY, 1000) == 0
    assert breaker.answered(ticket, TAKEN, 7, 0)
    assert (breaker.allows(MANY, 7), breaker.until_s) == (MANY, None)


def test_after_a_success_the_pauses_begin_anew() -> None:
    breaker = opened()
    fail(breaker, 1, 5.0)
    breaker.answered(breaker.begin(15), TAKEN, 15, 0)
    fail(breaker, 5, 20.0)

    assert breaker.until_s == 25.0


def test_a_try_that_was_given_back_makes_room_for_another() -> None:
    breaker = opened()
    ticket = breaker.begin(6)
    breaker.abandoned(ticket)

    assert breaker.allows(MANY, 6) == 1


def test_answers_to_what_was_begun_before_it_opened_change_nothing() -> None:
    breaker = Breaker()
    tickets = [breaker.begin(0) for _ in range(MANY)]
    changes = [breaker.answered(ticket, FAILED, 1, 0) for ticket in tickets[:7]]

    assert changes == [False, False, False, False, True, False, False]
    assert not breaker.answered(tickets[7], TAKEN, 2, 0)
    assert breaker.until_s == 6.0


def test_a_late_answer_of_before_does_not_free_the_place_of_the_one_try() -> None:
    breaker = Breaker()
    late = breaker.begin(0)
    fail(breaker, 5)
    breaker.begin(5)
    breaker.answered(late, TAKEN, 6, 0)
    breaker.abandoned(late)

    assert breaker.allows(MANY, 6) == 0


def test_what_was_taken_while_it_opened_has_a_stale_ticket() -> None:
    breaker = opened()

    assert not breaker.answered(breaker.begin(1), TAKEN, 2, 0)
    assert breaker.until_s == 5.0


def test_who_is_overloaded_and_says_for_how_long_is_left_alone_at_once_for_that_long() -> None:
    breaker = Breaker()

    assert breaker.answered(breaker.begin(0), overloaded(120), 0, 0)
    assert (breaker.allows(MANY, 119), breaker.allows(MANY, 120)) == (0, 1)


@pytest.mark.parametrize(("asked_s", "until_s"), [(1.0, 5.0), (86_400.0, 3_600.0)])
def test_that_time_is_at_least_a_pause_and_at_most_an_hour(asked_s: float, until_s: float) -> None:
    breaker = Breaker()
    breaker.answered(breaker.begin(0), overloaded(asked_s), 0, 0)

    assert breaker.until_s == until_s


def test_one_of_those_who_share_a_receiver_keeps_it_from_the_others_for_a_minute_at_most() -> None:
    breaker = Breaker()
    tickets = [breaker.begin(0), breaker.begin(0)]

    assert breaker.answered(tickets[0], overloaded(3_600, shared=True), 0, 0)
    assert (breaker.allows(MANY, 59), breaker.allows(MANY, 60)) == (0, 1)
    breaker.answered(tickets[1], overloaded(3_600, shared=True), 1, 0)
    assert breaker.until_s == 61.0


def test_failures_of_a_shared_receiver_pause_it_for_a_minute_at_most() -> None:
    breaker, now_s = Breaker(), 0.0
    for _ in range(20):
        breaker.answered(breaker.begin(now_s), attrs.evolve(FAILED, shared=True), now_s, 0)
        now_s = breaker.until_s or now_s

    assert breaker.until_s is not None
    breaker.answered(breaker.begin(now_s), attrs.evolve(FAILED, shared=True), now_s, 0)
    assert breaker.until_s - now_s == 60


def test_overload_without_a_time_is_a_failure_like_any_other() -> None:
    breaker = Breaker()

    assert not breaker.answered(breaker.begin(0), overloaded(None), 0, 0)
    assert breaker.allows(MANY, 0) == MANY


def test_a_late_answer_may_ask_for_more_time() -> None:
    breaker = Breaker()
    tickets = [breaker.begin(0), breaker.begin(0)]
    breaker.answered(tickets[0], overloaded(10), 0, 0)
    breaker.answered(tickets[1], overloaded(60), 1, 0)

    assert breaker.until_s == 61.0
