"""What is removed, in which order, and what is told of that which does not go."""

from __future__ import annotations

import asyncio
import logging

import attrs
import pytest

from chef_supervisor.domain.job import JobId, RunId
from chef_supervisor.sandboxes.leftover import Leftover, LeftoverKind
from chef_supervisor.sandboxes.sweeper import Sweeper, of_instance, of_realm, orphans
from chef_supervisor.sandboxes.watched import WatchedSandbox
from tests.kit.fake_sandbox import FakeSandbox
from tests.kit.virtual_time import virtual

RUN = RunId(JobId("builds.0_a"), 3)
BOX = Leftover(
    handle="box", kind=LeftoverKind.CONTAINER, role="job", instance="me", realm="here", run=RUN
)  # fmt: skip
VOLUME = attrs.evolve(BOX, handle="volume", kind=LeftoverKind.VOLUME, role="dependencies")


@attrs.define(eq=False)
class Slow(FakeSandbox):
    """Removing takes a while; notes what is removed, and how many at once."""

    removed: list[str] = attrs.field(factory=list)
    at_once: int = 0
    most_at_once: int = 0

    async def remove(self, leftover: Leftover) -> None:
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        await asyncio.sleep(1)
        self.at_once -= 1
        await super().remove(leftover)
        self.removed.append(leftover.handle)


def events(caplog: pytest.LogCaptureFixture) -> list[tuple[int, str, str]]:
    return [
        (record.levelno, record.__dict__["event"], record.__dict__["handle"])
        for record in caplog.records
        if "event" in record.__dict__
    ]


@virtual
async def test_boxes_go_before_what_they_use() -> None:
    sandbox = Slow()
    network = attrs.evolve(BOX, handle="network", kind=LeftoverKind.NETWORK)

    await Sweeper(WatchedSandbox(sandbox)).remove([VOLUME, network, BOX])

    assert sandbox.removed == ["box", "network", "volume"]


@virtual
async def test_live_boxes_keep_most_of_the_engines_threads() -> None:
    sandbox = Slow()

    await Sweeper(WatchedSandbox(sandbox)).remove([attrs.evolve(BOX, handle=str(number)) for number in range(20)])

    assert len(sandbox.removed) == 20
    assert sandbox.most_at_once == 4


@virtual
async def test_what_is_removed_is_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    await Sweeper(WatchedSandbox(FakeSandbox(left=[BOX]))).remove([BOX])

    [record] = caplog.records
    told = ("event", "handle", "kind", "role", "job_id", "run")
    assert [record.__dict__[key] for key in told] == ["orphan.removed", "box", "container", "job", RUN.job_id, 3]


@virtual
async def test_what_does_not_go_is_told_of_once_and_tried_ever_after(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    sandbox = FakeSandbox(left=[BOX, VOLUME], stubborn={"box"})
    sweeper = Sweeper(WatchedSandbox(sandbox))

    await sweeper.remove([BOX, VOLUME])
    await sweeper.remove([BOX])
    assert events(caplog) == [(logging.INFO, "orphan.removed", "volume")]
    for _ in range(3):
        await sweeper.remove([BOX])
    assert events(caplog)[1:] == [(logging.ERROR, "box.quarantined", "box")]
    sandbox.stubborn.clear()
    await sweeper.remove([BOX])

    assert events(caplog)[2:] == [(logging.INFO, "orphan.removed", "box")]
    assert sandbox.left == []


@virtual
async def test_failures_of_what_went_by_itself_are_forgotten(caplog: pytest.LogCaptureFixture) -> None:
    sandbox = FakeSandbox(left=[BOX], stubborn={"box"})
    sweeper = Sweeper(WatchedSandbox(sandbox))

    for leftovers in ([BOX], [BOX], [], [BOX], [BOX]):
        await sweeper.remove(leftovers)

    assert events(caplog) == []


def test_ours_is_what_carries_our_mark_and_folders_that_nobody_uses() -> None:
    other = attrs.evolve(BOX, instance="other")
    unmarked = attrs.evolve(BOX, instance="")
    folder = Leftover(handle="/x", kind=LeftoverKind.FOLDER)

    assert of_instance([BOX, other, unmarked, folder], "me") == [BOX, folder]


@pytest.mark.parametrize(
    ("leftover", "is_told"),
    [
        (attrs.evolve(BOX, instance="other"), True),
        (attrs.evolve(BOX, realm="elsewhere"), False),
        (attrs.evolve(BOX, realm=""), False),
        (attrs.evolve(BOX, run=None), False),
    ],
)
def test_others_are_known_by_their_realm_and_run(leftover: Leftover, is_told: bool) -> None:
    assert of_realm([leftover], "here") == ([leftover] if is_told else [])


def test_nothing_is_of_a_realm_that_is_not_known() -> None:
    assert of_realm([attrs.evolve(BOX, realm="")], "") == []


def test_an_orphan_is_of_no_run_that_holds_its_job() -> None:
    holds = RunId(RUN.job_id, 4)
    of_no_run = attrs.evolve(BOX, run=None)

    assert orphans([BOX, attrs.evolve(BOX, run=holds), of_no_run], {holds}) == [BOX, of_no_run]
