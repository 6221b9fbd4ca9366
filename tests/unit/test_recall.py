"""A result stands for jobs that ask for it, where all is the same; else, and in any doubt, the job is run."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from chef_supervisor import workshop
from chef_supervisor.domain.assignment import Assignment
from chef_supervisor.domain.job import Claim, JobStatus
from chef_supervisor.domain.outcome import Artifact, Cause, Outcome
from chef_supervisor.domain.payload import pack
from chef_supervisor.domain.toolchain import Toolchain
from chef_supervisor.recall import Recall
from chef_supervisor.sandboxes.watched import WatchedSandbox
from chef_supervisor.unpacking import Whole
from chef_supervisor.workshop import Spoilt, Workshop
from tests.kit.fake_memory import FakeMemory
from tests.kit.fake_sandbox import FakeSandbox, killed
from tests.kit.performing import perform
from tests.kit.shell_toolchain import QUIET, claim_of, make_workshop, shell_toolchain
from tests.kit.virtual_time import run

FILES = {"install.sh": b"", "build.sh": b"true"}


@attrs.define(eq=False)
class Bench:
    """A workshop over a fake sandbox, and what the store remembers; every end is recorded, as a runner does."""

    shop: Workshop
    sandbox: FakeSandbox
    memory: FakeMemory

    async def do(self, claim: Claim) -> Outcome | Spoilt:
        done = await perform(self.shop, claim, QUIET)
        if isinstance(done, Outcome):
            self.memory.ends[claim.job_id] = done
        return done

    async def finish(self, claim: Claim) -> Outcome:
        done = await self.do(claim)
        assert isinstance(done, Outcome)
        return done

    @property
    def boxes(self) -> int:
        return len(self.sandbox.orders)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    toolchains: tuple[Toolchain, ...] = shell_toolchain(tmp_path / "toolchains")
    sandbox, memory = FakeSandbox(), FakeMemory()
    shop = make_workshop(sandbox, toolchains)
    recall = Recall(store=memory, keep_s=100)
    return Bench(attrs.evolve(shop, sandbox=WatchedSandbox(sandbox), recall=recall), sandbox, memory)


def asking(number: int, files: dict[str, bytes] | None = None, *, cache: bool = True, tenant: str = "tenant") -> Claim:
    payload = pack(Assignment(files=files or FILES, cache=cache))
    return attrs.evolve(claim_of({}, number, tenant=tenant), payload=payload)


def test_the_same_work_is_not_done_twice(bench: Bench) -> None:
    async def main() -> None:
        first = await bench.finish(asking(1))
        boxes = bench.boxes

        second = await bench.finish(asking(2))

        assert (first.result.cached_from, boxes) == (None, bench.boxes)
        assert second.result.cached_from == asking(1).job_id
        assert second.status is first.status
        assert asking(1).job_id in second.result.warnings[0]

    run(main())


@pytest.mark.parametrize(
    "other",
    [
        asking(2, cache=False),
        asking(2, tenant="another"),
        asking(2, {**FILES, "build.sh": b"false"}),
        asking(2, {**FILES, "more": b""}),
    ],
)
def test_what_differs_or_does_not_ask_is_run(bench: Bench, other: Claim) -> None:
    async def main() -> None:
        await bench.finish(asking(1))
        boxes = bench.boxes

        assert (await bench.finish(other)).result.cached_from is None
        assert bench.boxes > boxes

    run(main())


def test_what_does_not_ask_is_not_remembered(bench: Bench) -> None:
    async def main() -> None:
        await bench.finish(asking(1, cache=False))

        assert (await bench.finish(asking(2))).result.cached_from is None

    run(main())


def test_an_attempt_after_a_failure_is_run(bench: Bench) -> None:
    async def main() -> None:
        await bench.finish(asking(1))

        again = attrs.evolve(asking(2), runs=2, failures=1)

        assert (await bench.finish(again)).result.cached_from is None

    run(main())


def test_a_job_of_which_something_else_was_left_out_is_run_and_told_so(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unpacked(asked: Assignment, *_others: object) -> Whole:
        return Whole(asked, ("3 links were left out",))

    async def main() -> None:
        await bench.finish(asking(1))
        monkeypatch.setattr(workshop, "whole", unpacked)

        second, third = await bench.finish(asking(2)), await bench.finish(asking(3))

        assert (second.result.cached_from, second.result.warnings[:1]) == (None, ("3 links were left out",))
        assert third.result.cached_from == asking(2).job_id
        assert "3 links were left out" in third.result.warnings

    run(main())


def test_a_spoilt_run_stands_for_none(bench: Bench) -> None:
    async def main() -> None:
        bench.sandbox.plays = [killed]
        assert isinstance(await bench.do(asking(1)), Spoilt)
        assert isinstance(await bench.do(asking(2)), Spoilt)

    run(main())


def test_a_job_that_ended_otherwise_since_stands_for_none(bench: Bench) -> None:
    async def main() -> None:
        first = await bench.finish(asking(1))
        timeout = attrs.evolve(first.result, cause=Cause.TIMEOUT)
        bench.memory.ends[asking(1).job_id] = Outcome(status=JobStatus.TIMEOUT, result=timeout)

        assert (await bench.finish(asking(2))).result.cached_from is None

    run(main())


def test_a_result_whose_artifacts_are_gone_stands_for_none(bench: Bench) -> None:
    async def main() -> None:
        first = await bench.finish(asking(1))
        made = attrs.evolve(first.result, artifacts=(Artifact(path="a", bytes=1, sha256="0" * 64),))
        bench.memory.ends[asking(1).job_id] = attrs.evolve(first, result=made)

        assert (await bench.finish(asking(2))).result.cached_from is None

    run(main())


def test_a_store_that_is_away_costs_the_result_and_not_the_job(bench: Bench) -> None:
    async def main() -> None:
        bench.memory.away = True

        assert (await bench.finish(asking(1))).status is JobStatus.COMPLETED
        bench.memory.away = False
        assert (await bench.finish(asking(2))).result.cached_from is None

    run(main())
