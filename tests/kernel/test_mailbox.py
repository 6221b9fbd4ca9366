"""Addresses and their mailboxes: tell, room, lanes, flush and close."""

from __future__ import annotations

import asyncio

import pytest

from chef_supervisor.kernel import Actor, ActorGone, ChildSpec, Down, Ended, MailboxFull, Ref, Restart, Strategy
from tests.kernel.world import Crash, Echo, End, Note, Order, Pause, World, grow, tell, tree
from tests.kit.virtual_time import now_s, settle, virtual


@virtual
async def test_messages_are_handled_in_the_order_they_were_told() -> None:
    world = World()
    running = await grow(tree(world.child("a")))
    world.take()

    await tell(world, "a", *(Note(str(number)) for number in range(5)))

    assert world.take() == [f"a {number}" for number in range(5)]
    await running.stop()


@virtual
async def test_messages_told_before_the_start_wait_for_it() -> None:
    world = World()
    spec = tree(world.child("a"))
    world.refs["a"].tell_nowait(Note("early"))

    running = await grow(spec)

    assert world.take() == ["a up", "a early"]
    await running.stop()


@virtual
async def test_tell_nowait_refuses_what_there_is_no_room_for() -> None:
    ref = Ref[Order]("a", capacity=2)
    ref.tell_nowait(Note("1"))
    ref.tell_nowait(Note("2"))

    with pytest.raises(MailboxFull, match="a has 2 unread messages"):
        ref.tell_nowait(Note("3"))

    assert ref.unread == (Note("1"), Note("2"))
    assert repr(ref) == "<Ref a waiting, 2 unread>"


@virtual
async def test_tell_waits_for_room_and_senders_get_it_in_order() -> None:
    world = World()
    running = await grow(tree(world.child("a", capacity=1)))
    await tell(world, "a", Pause(5), Note("0"))
    world.take()

    async with asyncio.TaskGroup() as senders:
        for number in range(1, 4):
            senders.create_task(world.refs["a"].tell(Note(str(number))))
        await settle()
        assert world.refs["a"].unread == (Note("0"),)

    await settle()
    assert now_s() == 5
    assert world.take() == ["a 0", "a 1", "a 2", "a 3"]
    await running.stop()


@virtual
async def test_cancelled_sender_gives_its_place_to_the_next() -> None:
    world = World()
    running = await grow(tree(world.child("a", capacity=1)))
    await tell(world, "a", Pause(5), Note("0"))
    world.take()
    first = asyncio.create_task(world.refs["a"].tell(Note("1")))
    second = asyncio.create_task(world.refs["a"].tell(Note("2")))
    await settle()

    first.cancel()
    await second
    await settle()

    assert world.take() == ["a 0", "a 2"]
    await running.stop()


@virtual
async def test_stop_beats_a_full_mailbox() -> None:
    world = World()
    running = await grow(tree(world.child("a", capacity=2)))
    await tell(world, "a", Pause(1), Note("1"), Note("2"))
    world.take()

    await running.stop()

    assert world.take() == ["a stops", "a down"]


@virtual
async def test_system_messages_come_before_user_messages() -> None:
    world = World()
    running = await grow(tree(world.child("a"), world.child("b")))
    world.refs["b"].watch(world.refs["a"])
    await tell(world, "a", Pause(1), Note("user"))
    await tell(world, "b", End())
    world.take()

    await asyncio.sleep(1)

    assert world.take() == ["a hears b Ended", "a user"]
    await running.stop()


@virtual
async def test_unread_messages_survive_a_lone_restart_and_the_one_being_handled_is_lost() -> None:
    world = World()
    running = await grow(tree(world.child("a"), world.child("b"), strategy=Strategy.REST_FOR_ONE))
    await tell(world, "b", Pause(1), Crash(), Note("kept"))
    answer = asyncio.create_task(world.refs["b"].ask(Echo("still answered"), timeout_s=9))

    assert await answer == "still answered"

    assert world.take() == ["a up", "b up", "b down", "b up", "b kept", "b answers still answered"]
    await running.stop()


@pytest.mark.parametrize("strategy", [Strategy.ONE_FOR_ALL, Strategy.REST_FOR_ONE])
@pytest.mark.parametrize("flushed", ["a", "b"])
@virtual
async def test_unread_messages_are_flushed_when_siblings_restart_too(strategy: Strategy, flushed: str) -> None:
    world = World()
    running = await grow(tree(world.child("a"), world.child("b"), strategy=strategy))
    await tell(world, "b", Pause(2))
    await tell(world, "a", Pause(1), Crash())
    await tell(world, flushed, Note("stale"))
    question = asyncio.create_task(world.refs[flushed].ask(Echo("stale"), timeout_s=999))

    with pytest.raises(ActorGone):
        await question

    await tell(world, flushed, Note("fresh"))
    assert [event for event in world.take() if "stale" in event or "fresh" in event] == [f"{flushed} fresh"]
    await running.stop()


@virtual
async def test_what_a_restarting_group_tells_itself_is_not_flushed() -> None:
    world = World()
    specs = [world.child("a"), world.child("b")]
    running = await grow(tree(*specs, strategy=Strategy.ONE_FOR_ALL))
    world.start_s = {"a": 1}

    await tell(world, "b", Crash())
    await tell(world, "b", Note("from the new a"))
    await asyncio.sleep(1)

    assert "b from the new a" in world.take()
    await running.stop()


@virtual
async def test_sender_that_waits_for_room_gets_it_in_the_next_incarnation() -> None:
    world = World()
    running = await grow(tree(world.child("a"), world.child("b", capacity=1), strategy=Strategy.ONE_FOR_ALL))
    await tell(world, "b", Pause(2), Note("flushed"))
    sender = asyncio.create_task(world.refs["b"].tell(Note("waited")))
    await tell(world, "a", Crash())

    await sender
    await settle()

    assert [event for event in world.take() if event in {"b flushed", "b waited"}] == ["b waited"]
    await running.stop()


@virtual
async def test_blocked_tell_wakes_with_actor_gone_when_the_address_closes() -> None:
    world = World()
    running = await grow(tree(world.child("a", Restart.TEMPORARY, capacity=1)))
    await tell(world, "a", Pause(5), Crash())
    await settle()
    assert world.refs["a"].unread == (Crash(),)
    first = asyncio.create_task(world.refs["a"].tell(Note("gets the room of the crash")))
    second = asyncio.create_task(world.refs["a"].tell(Note("gets none")))

    with pytest.raises(ActorGone, match="a is gone"):
        await second
    await first
    assert now_s() == 5
    await running.stop()


@virtual
async def test_actor_blocked_on_one_that_stops_first_is_woken_at_once() -> None:
    world = World()
    running = await grow(tree(world.child("a"), world.child("b", capacity=1)))
    await tell(world, "b", Pause(1), Note("1"))
    sender = asyncio.create_task(world.refs["b"].tell(Note("2")))
    world.stop_s = {"a": 4}
    await settle()
    stop = asyncio.create_task(running.stop())

    with pytest.raises(ActorGone):
        await sender

    assert now_s() == 1
    await stop
    assert now_s() == 5


@virtual
async def test_closed_address_refuses_everything() -> None:
    world = World()
    running = await grow(tree(world.child("a")))
    await running.stop()
    ref = world.refs["a"]

    with pytest.raises(ActorGone):
        await ref.tell(Note("x"))
    with pytest.raises(ActorGone):
        ref.tell_nowait(Note("x"))
    with pytest.raises(ActorGone):
        await ref.ask(Echo("x"), timeout_s=1)
    ref.notify(Down(ref, Ended()))
    assert ref.unread == ()


@virtual
async def test_actor_that_always_has_mail_lets_others_run() -> None:
    class Restless(Actor[int]):
        async def receive(self, message: object) -> None:
            assert isinstance(message, int)
            counted.append(message)
            self.ctx.ref.tell_nowait(message + 1)

    counted: list[int] = []
    ref = Ref[int]("a")
    running = await grow(tree(ChildSpec(ref, Restless)))

    # Neither waits for anything: without a pause between messages this would never come back.
    await ref.tell(0)
    for _ in range(100):
        await asyncio.sleep(0)
    await running.stop()

    assert 10 < len(counted) < 1000
