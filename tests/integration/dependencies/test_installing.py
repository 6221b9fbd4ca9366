"""Jobs that need the same dependencies: one installs them, the others use what is there."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from chef_supervisor.domain.job import JobStatus
from chef_supervisor.domain.outcome import Cause, Outcome, Result
from chef_supervisor.domain.toolchain import Toolchain
from chef_supervisor.domain.work import ArtifactData, BoxEvent, Work
from chef_supervisor.workshop import Onlooker, Workshop
from tests.integration.dependencies.conftest import MakeSandbox
from tests.kit.performing import perform
from tests.kit.shell_toolchain import QUIET, claim_of, make_workshop, project, shell_toolchain

pytestmark = pytest.mark.asyncio
# Every install is one of its kind: who reads this tells which one made what it uses.
INSTALL = "cat /proc/sys/kernel/random/uuid > made"
BUILD = 'cat "$DEPS/made"'


@pytest.fixture
def toolchains(tmp_path: Path) -> tuple[Toolchain, ...]:
    return shell_toolchain(tmp_path / "toolchains")


@pytest.fixture
def workshop(make_sandbox: MakeSandbox, toolchains: tuple[Toolchain, ...]) -> Workshop:
    return make_workshop(make_sandbox(), toolchains)


async def do(workshop: Workshop, files: dict[str, bytes], number: int = 1) -> Result:
    outcome = await perform(workshop, claim_of(files, number), QUIET)
    assert isinstance(outcome, Outcome), outcome
    return outcome.result


def printed(result: Result) -> str:
    assert result.cause is None, result.message
    return result.output.head.splitlines()[-1]


def steps(result: Result) -> list[str]:
    return [step.name for step in result.steps]


async def test_the_second_job_uses_what_the_first_one_installed(workshop: Workshop) -> None:
    first = await do(workshop, project(install=INSTALL, build=BUILD))
    second = await do(workshop, project(install=INSTALL, build=BUILD + "; true"), 2)

    assert printed(first) == printed(second)
    assert (steps(first), steps(second)) == (["install", "build"], ["build"])


@pytest.mark.slow
async def test_another_lock_file_is_another_install(workshop: Workshop) -> None:
    first = await do(workshop, project(install=INSTALL, build=BUILD, lock="1"))
    second = await do(workshop, project(install=INSTALL, build=BUILD, lock="2"), 2)

    assert printed(first) != printed(second)


async def test_eight_jobs_at_once_with_one_new_lock_file_make_one_install(workshop: Workshop) -> None:
    files = project(install=INSTALL, build=BUILD)

    results = await asyncio.gather(*(do(workshop, files, number) for number in range(8)))

    assert len({printed(result) for result in results}) == 1
    assert sorted(map(steps, results)) == [["build"]] * 7 + [["install", "build"]]


async def test_a_supervisor_finds_what_another_one_installed_and_so_does_its_next_process(
    make_sandbox: MakeSandbox, toolchains: tuple[Toolchain, ...]
) -> None:
    files = project(install=INSTALL, build=BUILD)
    second = make_workshop(make_sandbox(), toolchains)
    # It has looked before there was anything.
    await do(second, project(lock="of another"), 3)

    first = await do(make_workshop(make_sandbox(), toolchains), files)

    assert printed(await do(second, files, 2)) == printed(first)
    assert printed(await do(make_workshop(make_sandbox(), toolchains), files, 4)) == printed(first)


async def test_what_somebody_removed_is_installed_anew_and_the_job_is_none_the_worse(
    make_sandbox: MakeSandbox, workshop: Workshop
) -> None:
    files = project(install=INSTALL, build=BUILD)
    first = await do(workshop, files)
    other = make_sandbox().shelf
    await other.drop(tuple((await other.look({})).stored), {})

    again = await do(workshop, files, 2)

    assert printed(again) != printed(first)
    assert steps(again) == ["install", "build"]
    assert again.warnings == ()


async def test_a_failed_install_fails_its_own_job_and_is_tried_by_the_next(workshop: Workshop) -> None:
    failing = project(install="test -e lock && echo no such package && exit 3")

    first, second = await asyncio.gather(do(workshop, failing), do(workshop, failing, 2))

    for result in (first, second):
        assert (result.cause, steps(result)) == (Cause.INSTALL_FAILED, ["install", "build"])
        assert "no such package" in result.output.head


async def test_what_cannot_be_kept_fails_the_job_with_a_sentence(workshop: Workshop) -> None:
    result = await do(workshop, project(install="mkfifo pipe"))

    assert result.cause is Cause.INSTALL_FAILED
    assert result.message == (
        "The dependencies were installed, but cannot be used, because 'pipe' is a device, a pipe or a socket."
    )


async def test_scripts_of_dependencies_that_fail_are_a_warning_for_every_job_that_uses_them(workshop: Workshop) -> None:
    files = project(
        install=INSTALL, scripts="echo half > half; echo cannot reach it; exit 4", build=f"{BUILD}; cat $DEPS/half"
    )

    first, second = await do(workshop, files), await do(workshop, files, 2)

    assert printed(first) == printed(second) == "half"
    [warning] = first.warnings
    assert "no network (scripts: exit code 4): cannot reach it" in warning
    assert second.warnings == first.warnings


async def test_without_a_lock_file_every_job_is_handed_the_one_that_came_out(workshop: Workshop) -> None:
    files = project(install=f"{INSTALL}; echo chosen > lock", build=BUILD, lock="")
    handed: list[bytes] = []

    def hear(_: Work, event: BoxEvent) -> None:
        if isinstance(event, ArtifactData):
            handed.append(event.chunk)

    for number in range(2):
        await perform(workshop, claim_of(files, number), Onlooker(lambda _: None, hear))

    assert b"".join(handed) == b"chosen\n" * 2


@pytest.mark.slow
async def test_what_was_installed_without_a_lock_file_expires(
    make_sandbox: MakeSandbox, toolchains: tuple[Toolchain, ...]
) -> None:
    workshop = make_workshop(make_sandbox(), toolchains, unlocked_s=1e-6)
    unlocked = project(install=INSTALL, build=BUILD, lock="")
    locked = project(install=INSTALL, build=BUILD)

    made = [printed(await do(workshop, files, number)) for number, files in enumerate([unlocked, locked] * 2)]

    assert made[0] != made[2]
    assert made[1] == made[3]


@pytest.mark.slow
async def test_room_is_made_by_removing_what_was_used_least_recently(
    make_sandbox: MakeSandbox, toolchains: tuple[Toolchain, ...]
) -> None:
    workshop = make_workshop(make_sandbox(), toolchains, max_bytes=5 << 20)
    files = {
        lock: project(install=f"{INSTALL}; head -c 2000000 /dev/zero > f", build=BUILD, lock=lock) for lock in "abc"
    }
    made = {lock: printed(await do(workshop, files[lock], ord(lock))) for lock in "ab"}
    assert printed(await do(workshop, files["a"], 1)) == made["a"]

    await do(workshop, files["c"], 2)

    assert printed(await do(workshop, files["a"], 3)) == made["a"]
    assert printed(await do(workshop, files["b"], 4)) != made["b"]


async def test_a_job_that_uses_dependencies_keeps_them_from_another_supervisors_sweep(
    make_sandbox: MakeSandbox, toolchains: tuple[Toolchain, ...]
) -> None:
    building = asyncio.Event()
    first, second = (make_workshop(make_sandbox(), toolchains, max_bytes=1) for _ in range(2))
    slow = project(install=INSTALL, build=f"echo begun; sleep 3; {BUILD}")

    def hear(work: Work, event: BoxEvent) -> None:
        if work.steps[0].name == "build":
            building.set()

    job = asyncio.create_task(perform(first, claim_of(slow), Onlooker(lambda _: None, hear)))
    await building.wait()
    other = await do(second, project(install=INSTALL, build=BUILD, lock="other"), 2)
    outcome = await job

    assert isinstance(outcome, Outcome)
    assert outcome.status is JobStatus.COMPLETED, outcome.result.message
    assert other.cause is None
