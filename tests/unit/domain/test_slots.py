"""Who holds which slot."""

from chef_supervisor.domain.job import JobId, QueueName, RunId
from chef_supervisor.domain.slots import Slots

BUILDS, TESTS = QueueName("builds"), QueueName("tests")


def run(job_id: str, number: int = 1) -> RunId:
    return RunId(JobId(job_id), number)


def test_queues_share_the_slots_of_the_process() -> None:
    slots = Slots(3, {BUILDS: 0, TESTS: 0})

    slots.take(BUILDS, run("a"))
    slots.take(BUILDS, run("b"))

    assert slots.free(TESTS) == 1


def test_a_cap_keeps_a_queue_from_taking_all() -> None:
    slots = Slots(3, {BUILDS: 1, TESTS: 0})

    slots.take(BUILDS, run("a"))

    assert (slots.free(BUILDS), slots.free(TESTS)) == (0, 2)


def test_free_slots_are_dealt_one_by_one_in_turn() -> None:
    slots = Slots(5, {BUILDS: 0, TESTS: 0})

    assert slots.deal([TESTS, BUILDS]) == {TESTS: 3, BUILDS: 2}


def test_a_capped_queue_leaves_its_turn_to_the_others() -> None:
    slots = Slots(5, {BUILDS: 1, TESTS: 0})

    assert slots.deal([BUILDS, TESTS]) == {BUILDS: 1, TESTS: 4}


def test_where_nothing_is_free_nothing_is_dealt() -> None:
    slots = Slots(1, {BUILDS: 0, TESTS: 0})
    slots.take(BUILDS, run("a"))

    assert slots.deal([BUILDS, TESTS]) == {}


def test_a_slot_given_back_twice_is_free_once() -> None:
    slots = Slots(1, {BUILDS: 0})
    slots.take(BUILDS, run("a"))

    slots.give_back(BUILDS, run("a"))
    slots.give_back(BUILDS, run("a"))

    assert slots.free(BUILDS) == 1


def test_two_runs_of_one_job_hold_two_slots() -> None:
    slots = Slots(3, {BUILDS: 0})
    slots.take(BUILDS, run("a", 1))
    slots.take(BUILDS, run("a", 2))

    slots.give_back(BUILDS, run("a", 1))

    assert slots.free(BUILDS) == 2


def test_what_a_pool_tells_after_a_restart_replaces_what_was_thought() -> None:
    slots = Slots(3, {BUILDS: 0})
    slots.take(BUILDS, run("lost"))

    slots.reset(BUILDS, [run("a"), run("b")])

    assert slots.free(BUILDS) == 1
