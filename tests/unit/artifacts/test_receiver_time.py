"""A store that is slow costs artifacts, not slots."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import obstore
import pytest

from chef_supervisor.artifacts.place import Place
from chef_supervisor.artifacts.receiver import Receiver
from chef_supervisor.domain.job import JobId
from chef_supervisor.domain.work import ArtifactData
from tests.kit.artifacts import artifact_store, at_once, handed_over
from tests.kit.virtual_time import now_s, virtual

COUNT = 50
JOB = JobId("builds.0_" + "a" * 26)


def events() -> Iterator[ArtifactData]:
    for number in range(COUNT):
        yield from handed_over(f"dist/{number}.js", bytes([number]) * 1_000_000)


@pytest.mark.parametrize(("put_s", "trouble"), [(19.0, "longer than 120 s in all"), (1000.0, "no answer within 20 s")])
def test_a_slow_store_is_given_up_after_a_while(put_s: float, trouble: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def slow(*_: object, **__: object) -> None:
        await asyncio.sleep(put_s)

    monkeypatch.setattr(obstore, "put_async", slow)

    @virtual
    async def scenario() -> None:
        receiver = Receiver(JOB, at_once(Place(store=artifact_store().objects, realm="r", job_id=JOB)))
        for event in events():
            await receiver.add(event)
        await receiver.finish()

        assert trouble in (receiver.trouble or "")
        assert now_s() <= 121.0

    scenario()


def test_a_store_that_is_fast_enough_is_never_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def quick(*_: object, **__: object) -> None:
        await asyncio.sleep(1.0)

    monkeypatch.setattr(obstore, "put_async", quick)

    @virtual
    async def scenario() -> None:
        receiver = Receiver(JOB, at_once(Place(store=artifact_store().objects, realm="r", job_id=JOB)))
        for event in events():
            await receiver.add(event)
            # What the box takes is not the store's.
            await asyncio.sleep(10.0)
        await receiver.finish()

        assert receiver.trouble is None
        assert len(receiver.kept) == COUNT

    scenario()
