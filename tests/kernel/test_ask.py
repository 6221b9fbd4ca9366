"""Questions: answered, refused, expired, flushed; never left hanging and never handled too late."""

from __future__ import annotations

import asyncio

import pytest

from chef_supervisor.kernel import ActorGone, Ref
from tests.kernel.world import CrashAsked, Echo, Note, Order, Pause, Refuse, World, grow, tell, tree
from tests.kit.virtual_time import now_s, settle, virtual


@virtual
async def test_ask_is_answered_with_what_receive_returns() -> None:
    world = World()
    running = await grow(tree(world.child("a")))

    assert await world.refs["a"].ask(Echo("hello", delay_s=2), timeout_s=3) == "hello"

    assert now_s() == 2
    await running.stop()


@virtual
async def test_expired_ask_is_not_executed() -> None:
    world = World()
    running = await grow(tree(world.child("a")))
    await tell(world, "a", Pause(5))
    world.take()

    with pytest.raises(TimeoutError):
        await world.refs["a"].ask(Echo("expired"), timeout_s=2)

    assert now_s() == 2
    await asyncio.sleep(10)
    assert world.take() == []
    await running.stop()


@virtual
async def test_ask_that_expires_while_it_waits_for_room_is_not_executed() -> None:
    world = World()
    running = await grow(tree(world.child("a", capacity=1)))
    await tell(world, "a", Pause(5), Note("1"))
    world.take()

    with pytest.raises(TimeoutError):
        await world.refs["a"].ask(Echo("expired"), timeout_s=2)

    await asyncio.sleep(10)
    assert world.take() == ["a 1"]
    await running.stop()


@virtual
async def test_asker_cancelled_as_it_gets_room_leaves_nothing_to_execute() -> None:
    ref = Ref[Order]("a", capacity=1)
    ref.tell_nowait(Note("1"))
    asker = asyncio.create_task(ref.ask(Echo("cancelled"), timeout_s=9))
    await settle()

    assert (await ref.mailbox.get()).message == Note("1")
    got_room = ref.unread
    asker.cancel()
    await settle()

    assert got_room == (Echo("cancelled"),)
    assert ref.unread == ()
    ref.tell_nowait(Note("2"))
    assert (await ref.mailbox.get()).message == Note("2")


@virtual
async def test_asker_cancelled_as_its_question_is_flushed_leaves_no_error_unseen() -> None:
    ref = Ref[Order]("a", capacity=1)
    ref.tell_nowait(Note("1"))
    asker = asyncio.create_task(ref.ask(Echo("flushed"), timeout_s=9))
    await settle()

    await ref.mailbox.get()
    ref.close()
    asker.cancel()

    # What asyncio would complain of, when the answer is collected, fails the test in `virtual`.
    with pytest.raises(asyncio.CancelledError):
        await asker


@virtual
async def test_expired_ask_gives_its_room_to_others() -> None:
    world = World()
    running = await grow(tree(world.child("a", capacity=1)))
    await tell(world, "a", Pause(9))
    asker = asyncio.create_task(world.refs["a"].ask(Echo("expired"), timeout_s=2))
    await settle()

    await world.refs["a"].tell(Note("1"))

    assert now_s() == 2
    with pytest.raises(TimeoutError):
        await asker
    await running.stop()


@virtual
async def test_ask_cancelled_in_the_turn_it_would_be_read_is_not_executed() -> None:
    ref = Ref[Order]("a")
    asker = asyncio.create_task(ref.ask(Echo("cancelled"), timeout_s=9))
    await settle()
    ref.tell_nowait(Note("2"))

    asker.cancel()

    assert (await ref.mailbox.get()).message == Note("2")
    await settle()


@virtual
async def test_ask_that_expires_while_it_is_handled_loses_its_answer_only() -> None:
    world = World()
    running = await grow(tree(world.child("a")))

    with pytest.raises(TimeoutError):
        await world.refs["a"].ask(Echo("slow", delay_s=5), timeout_s=2)

    await asyncio.sleep(10)
    assert world.take() == ["a up", "a answers slow"]
    await running.stop()


@virtual
async def test_ask_to_a_crashing_actor_fails_and_does_not_hang() -> None:
    world = World()
    running = await grow(tree(world.child("a")))

    with pytest.raises(ActorGone, match="a is gone"):
        await world.refs["a"].ask(CrashAsked(), timeout_s=999)

    assert now_s() == 0
    await settle()
    assert world.take() == ["a up", "a down", "a up"]
    await running.stop()


@virtual
async def test_ask_that_was_being_handled_at_a_kill_fails() -> None:
    world = World()
    running = await grow(tree(world.child("a", shutdown_s=5)))
    question = asyncio.create_task(world.refs["a"].ask(Echo("x", delay_s=100), timeout_s=999))
    await settle()

    await running.stop()

    with pytest.raises(ActorGone):
        await question
    assert now_s() == 5


@virtual
async def test_refusal_is_an_answer_and_the_actor_lives_on() -> None:
    world = World()
    running = await grow(tree(world.child("a")))

    with pytest.raises(ActorGone, match="somebody else"):
        await world.refs["a"].ask(Refuse(), timeout_s=1)

    await tell(world, "a", Note("lives"))
    assert world.take() == ["a up", "a lives"]
    await running.stop()


@virtual
async def test_refusal_nobody_asked_for_is_a_crash() -> None:
    world = World()
    running = await grow(tree(world.child("a")))

    await tell(world, "a", Refuse())

    assert world.take() == ["a up", "a down", "a up"]
    await running.stop()
