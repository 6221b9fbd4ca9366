"""How much a receiver may be asked at a time, and for how long that is remembered."""

from __future__ import annotations

from chef_supervisor.domain.delivery import Answer, Answered, ReceiverName
from chef_supervisor.domain.gate import Gate, Gates

HOOK = ReceiverName("hook.ci")
TAKEN, FAILED = Answer(answered=Answered.TAKEN), Answer(answered=Answered.FAILED, reason="http_500")
BUSY = Answer(answered=Answered.FAILED, reason="http_429", throttled=True, retry_after_s=3_600.0)


def tried(gate: Gate, answer: Answer, now_s: float) -> None:
    ticket = gate.begin(now_s)
    gate.answered(ticket, answer, now_s, 0.0)
    gate.end(ticket, now_s)


def test_so_many_tries_may_begin_as_it_allows_less_those_under_way() -> None:
    gate = Gates().use(HOOK, 3, 0.0)
    tickets = [gate.begin(0.0) for _ in range(2)]
    assert gate.free(0.0) == 1

    gate.end(tickets[0], 1.0)
    assert gate.free(1.0) == 2


def test_a_stranger_has_one_try_at_a_time_until_it_answers_and_after_each_failure() -> None:
    gate = Gates().use(HOOK, 3, 0.0, careful=True)
    assert gate.free(0.0) == 1
    ticket = gate.begin(0.0)
    assert gate.free(0.0) == 0

    gate.end(ticket, 0.0)
    tried(gate, TAKEN, 1.0)
    assert gate.free(1.0) == 3
    tried(gate, FAILED, 2.0)
    assert gate.free(2.0) == 1


def test_a_gate_that_was_asked_for_just_now_is_not_forgotten_before_its_first_try() -> None:
    gates = Gates()
    gate = gates.use(HOOK, 3, 5_000.0)
    gates.tidy(5_001.0)

    assert gates.known(HOOK) is gate
    assert gates.use(HOOK, 3, 5_001.0) is gate


def test_a_pause_is_remembered_until_long_after_its_end() -> None:
    gates = Gates()
    tried(gates.use(HOOK, 3, 0.0), BUSY, 0.0)
    gates.tidy(3_600.0 + 899.0)
    assert gates.known(HOOK) is not None

    gates.tidy(3_600.0 + 901.0)
    assert gates.known(HOOK) is None


def test_what_is_under_way_is_never_forgotten() -> None:
    gates = Gates()
    ticket = (gate := gates.use(HOOK, 3, 0.0)).begin(0.0)
    gates.tidy(10_000.0)
    assert gates.known(HOOK) is gate

    gate.end(ticket, 10_000.0)
    gates.tidy(10_901.0)
    assert gates.known(HOOK) is None
