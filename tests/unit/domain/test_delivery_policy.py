"""What becomes of an event after each answer."""

from __future__ import annotations

import itertools

import attrs
import pytest

from chef_supervisor.domain.delivery import Answer, Answered, Delivery, EventKind, ReceiverName, Settlement
from chef_supervisor.domain.delivery_policy import hopeless, most_tries, ruling
from chef_supervisor.domain.job import JobId, JobStatus, JobType

FAILED = Answer(answered=Answered.FAILED, reason="http_500")
DELIVERY = Delivery(
    job_id=JobId("builds.0_a"),
    receiver=ReceiverName("convex"),
    lease="1:a",
    seq=1,
    kind=EventKind.COMPLETED,
    type=JobType.BUILD,
    status=JobStatus.COMPLETED,
    progress=100,
    at_ms=0,
)
ENDS = [kind for kind in EventKind if kind.terminal]
OTHERS = [kind for kind in EventKind if not kind.terminal]


def tried(tries: int, kind: EventKind = EventKind.COMPLETED) -> Delivery:
    return attrs.evolve(DELIVERY, kind=kind, tries=tries, failed=tries)


def delays_ms(kind: EventKind, chance: float) -> list[int]:
    """Returns: the waits after each failure, until it is tried no more."""
    rulings = (ruling(tried(tries, kind), FAILED, chance) for tries in itertools.count())
    again = list(itertools.takewhile(lambda ruled: ruled.settlement is Settlement.AGAIN, rulings))
    assert ruling(tried(len(again), kind), FAILED, chance).settlement is Settlement.ENDED
    return [ruled.delay_ms for ruled in again]


@pytest.mark.parametrize("kind", ENDS)
def test_an_end_that_fails_is_tried_seven_times_in_18_to_21_hours(kind: EventKind) -> None:
    soonest, latest = delays_ms(kind, 0.0), delays_ms(kind, 1.0)

    assert soonest == [5_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000]
    assert latest == [round(delay * 1.2) for delay in soonest]
    assert most_tries(kind) == 7


@pytest.mark.parametrize("kind", OTHERS)
def test_a_start_or_progress_is_tried_twice_in_quick_succession(kind: EventKind) -> None:
    assert delays_ms(kind, 0.0) == [2_000]
    assert delays_ms(kind, 1.0) == [2_400]


@pytest.mark.parametrize("tries", [0, 6])
def test_what_is_taken_is_over(tries: int) -> None:
    ruled = ruling(tried(tries), Answer(answered=Answered.TAKEN), 0.5)

    assert (ruled.settlement, ruled.reason) == (Settlement.TAKEN, "")


@pytest.mark.parametrize(
    ("answered", "settlement"), [(Answered.REFUSED, Settlement.ENDED), (Answered.GONE, Settlement.GONE)]
)
@pytest.mark.parametrize("kind", EventKind)
def test_what_would_fail_again_and_again_is_ended_by_the_first_try(
    answered: Answered, settlement: Settlement, kind: EventKind
) -> None:
    ruled = ruling(tried(0, kind), Answer(answered=answered, reason="why", retry_after_s=9.0), 0.5)

    assert (ruled.settlement, ruled.reason, ruled.delay_ms) == (settlement, "why", 0)


@pytest.mark.parametrize(
    ("asked_s", "delay_ms"), [(1.0, 5_000), (60.0, 60_000), (3_600.0, 3_600_000), (86_400.0, 3_600_000)]
)
def test_a_receiver_that_asks_for_more_time_has_it_up_to_an_hour(asked_s: float, delay_ms: int) -> None:
    assert ruling(tried(0), attrs.evolve(FAILED, retry_after_s=asked_s), 0.0).delay_ms == delay_ms


def test_asking_for_time_makes_no_more_tries() -> None:
    assert ruling(tried(6), attrs.evolve(FAILED, retry_after_s=60.0), 0.0).settlement is Settlement.ENDED


def test_progress_does_not_wait_for_a_receiver_that_asks_for_more_time_than_it_has() -> None:
    asked = {asked_s: attrs.evolve(FAILED, retry_after_s=asked_s) for asked_s in (4.0, 6.0)}
    ruled = {asked_s: ruling(tried(0, EventKind.PROGRESS), answer, 0.0) for asked_s, answer in asked.items()}

    assert (ruled[4.0].settlement, ruled[4.0].delay_ms) == (Settlement.AGAIN, 4_000)
    assert ruled[6.0].settlement is Settlement.ENDED


@pytest.mark.parametrize(("kind", "most"), [(EventKind.STARTED, 2), (EventKind.PROGRESS, 2), (EventKind.FAILED, 14)])
def test_what_was_tried_often_enough_without_an_outcome_is_hopeless(kind: EventKind, most: int) -> None:
    assert not hopeless(attrs.evolve(tried(most - 1, kind), failed=0))
    assert hopeless(attrs.evolve(tried(most, kind), failed=0))


@pytest.mark.parametrize("failed", range(7))
def test_tries_whose_outcome_nobody_recorded_take_no_hour_from_an_end(failed: int) -> None:
    lost = attrs.evolve(tried(failed), tries=failed + 6)

    assert ruling(lost, FAILED, 0.0) == ruling(tried(failed), FAILED, 0.0)
    assert not hopeless(lost)
