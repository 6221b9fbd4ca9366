"""A result lists what can be had, and says what cannot."""

from __future__ import annotations

from collections.abc import AsyncIterator

import attrs
import pytest

from chef_supervisor.artifacts.keeping import Keeping, received, with_kept
from chef_supervisor.artifacts.place import Place
from chef_supervisor.artifacts.receiver import Receiver
from chef_supervisor.domain.artifact_errors import ArtifactsUnavailable
from chef_supervisor.domain.job import JobId, JobStatus
from chef_supervisor.domain.outcome import Outcome, Result, Verdict
from chef_supervisor.domain.work import BoxEnded, BoxEvent, EndedBy, Work
from tests.kit.artifacts import artifact, artifact_store, at_once, content_of, handed_over, keep

JOB = JobId("builds.0_" + "a" * 26)
HERE, LOST = artifact("dist/a", b"a"), artifact("dist/b", b"b")
OUTCOME = Outcome(
    status=JobStatus.COMPLETED,
    result=Result(verdict=Verdict.PASSED, artifacts=(HERE, LOST), warnings=("said before",)),
)
WORK = Work(files={}, steps=(), timeout_s=1, artifact_globs=("dist/**",))
END = BoxEnded(complete=True, ended_by=EndedBy.EXIT)


def receiver() -> Receiver:
    return Receiver(JOB, at_once(Place(store=artifact_store().objects, realm="realm", job_id=JOB)))


@pytest.mark.asyncio
async def test_only_what_is_kept_is_listed_and_why_is_said() -> None:
    some = receiver()
    some.kept.add(HERE)
    await some.give_up(ArtifactsUnavailable("the disk is full"))

    result = with_kept(OUTCOME, some).result

    assert result.artifacts == (HERE,)
    assert result.warnings == (
        "said before",
        "1 artifacts could not be kept: the store of artifacts is not available: the disk is full",
    )


def test_a_result_whose_artifacts_are_all_kept_stays_as_it_is() -> None:
    every = receiver()
    every.kept |= {HERE, LOST}

    assert with_kept(OUTCOME, every) == OUTCOME


def test_an_artifact_with_another_content_than_is_kept_is_not_listed() -> None:
    other = receiver()
    other.kept |= {HERE, artifact(LOST.path, b"another run's")}

    assert with_kept(OUTCOME, other).result.artifacts == (HERE,)


def test_without_a_store_no_box_is_asked_for_any() -> None:
    assert Keeping().bounded(WORK).artifact_globs == ()
    assert with_kept(OUTCOME, None).result.artifacts == ()


def test_the_bounds_of_a_box_are_those_of_the_store() -> None:
    store = attrs.evolve(artifact_store(), max_bytes=7, max_files=3)

    bounded = Keeping(store).bounded(WORK)

    assert (bounded.artifact_bytes, bounded.max_artifacts, bounded.artifact_globs) == (7, 3, WORK.artifact_globs)


@pytest.mark.asyncio
async def test_a_result_is_copied_with_its_artifacts_or_not_at_all() -> None:
    store, other = artifact_store(), JobId("builds.0_" + "b" * 26)
    await keep(store, JOB, {"dist/a": b"a"})

    assert await Keeping(store).copied(JOB, other, [HERE])
    assert await content_of(store, other, HERE) == b"a"
    assert not await Keeping(store).copied(JOB, other, [HERE, LOST])
    assert not await Keeping().copied(JOB, other, [HERE])
    assert await Keeping().copied(JOB, other, [])


@pytest.mark.asyncio
async def test_every_event_is_passed_on_and_artifacts_are_kept_on_the_way() -> None:
    told: list[BoxEvent] = [*handed_over("dist/a", b"a" * 1_000_000), END]
    store = artifact_store()

    async def events() -> AsyncIterator[BoxEvent]:
        for event in told:
            yield event

    async with Keeping(store).receiving(JOB) as taking:
        heard = [event async for event in received(events(), taking)]

    assert heard == told
    assert await content_of(store, JOB, artifact("dist/a", b"a" * 1_000_000)) == b"a" * 1_000_000
