"""Which sandbox is taken, and what is said where none can be."""

from __future__ import annotations

from pathlib import Path

import pytest

from chef_supervisor.domain.errors import Misconfigured, SandboxUnavailable
from chef_supervisor.domain.work import BoxEnded, EndedBy, Step, StepEnded, Work
from chef_supervisor.sandboxes.bubblewrap import BubblewrapSandbox
from chef_supervisor.sandboxes.choose import Chosen, choose
from chef_supervisor.sandboxes.config import BubblewrapConfig, DockerConfig
from chef_supervisor.sandboxes.docker import DockerSandbox
from chef_supervisor.sandboxes.sandbox import BoxOrder, Limits, Role

pytestmark = pytest.mark.asyncio


async def chosen(kind: str, environment: str = "production") -> Chosen:
    docker, bubblewrap = DockerConfig(host="unix:///nowhere"), BubblewrapConfig(data_dir=Path("/nowhere"))
    return await choose(kind, environment=environment, docker=docker, bubblewrap=bubblewrap)


def available(monkeypatch: pytest.MonkeyPatch, *, docker: bool, bubblewrap: bool) -> None:
    """Make them look so. What bubblewrap can do only a box tells; a disk that is full now is no want of an engine."""
    checks = ((DockerSandbox, "ping", docker), (BubblewrapSandbox, "probe", bubblewrap))
    for sandbox, name, works in checks:

        async def check(self: DockerSandbox | BubblewrapSandbox, works: bool = works) -> None:
            if not works:
                raise SandboxUnavailable(f"no {self.name} here")

        monkeypatch.setattr(sandbox, name, check)


async def test_auto_takes_docker_where_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    available(monkeypatch, docker=True, bubblewrap=True)

    assert (await chosen("auto")).sandbox.name == "docker"


async def test_auto_takes_bubblewrap_otherwise_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    available(monkeypatch, docker=False, bubblewrap=True)

    taken = await chosen("auto")

    assert taken.sandbox.name == "bubblewrap"
    assert "no docker here" in taken.reason


async def test_auto_says_both_reasons_where_nothing_works(monkeypatch: pytest.MonkeyPatch) -> None:
    available(monkeypatch, docker=False, bubblewrap=False)

    with pytest.raises(SandboxUnavailable, match=r"no docker here.*no bubblewrap here"):
        await chosen("auto")


@pytest.mark.parametrize("kind", ["docker", "bubblewrap"])
async def test_what_was_asked_for_is_taken_or_refused(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    available(monkeypatch, docker=True, bubblewrap=True)
    assert (await chosen(kind)).sandbox.name == kind

    available(monkeypatch, docker=False, bubblewrap=False)
    with pytest.raises(SandboxUnavailable):
        await chosen(kind)


@pytest.mark.parametrize("environment", ["production", "development"])
async def test_null_is_refused_where_jobs_are_real(environment: str) -> None:
    with pytest.raises(Misconfigured, match=environment):
        await chosen("null", environment)


@pytest.mark.parametrize("environment", ["test", "bench"])
async def test_null_passes_every_step(environment: str) -> None:
    sandbox = (await chosen("null", environment)).sandbox
    limits = Limits(memory_bytes=1, cpus=1, pids=1, workspace_bytes=1)
    step = Step(name="s", argv=("false",), timeout_s=1)

    async with (
        sandbox.dependencies("d") as dependencies,
        sandbox.box(BoxOrder(name="n", role=Role.JOB, limits=limits), dependencies) as box,
    ):
        events = [event async for event in box.run(Work(files={}, steps=(step, step), timeout_s=1))]
    await sandbox.close()

    assert [event.exit_code for event in events if isinstance(event, StepEnded)] == [0, 0]
    assert events[-1] == BoxEnded(complete=True, ended_by=EndedBy.EXIT)


async def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(Misconfigured, match="'podman'"):
        await chosen("podman")
