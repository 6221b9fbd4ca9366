"""What a Docker Engine has of ours that this process does not use: told, removed, and nothing else's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import attrs
import docker
import pytest
import pytest_asyncio

from chef_supervisor.domain.errors import SandboxUnavailable
from chef_supervisor.domain.job import JobId, RunId
from chef_supervisor.sandboxes.config import DockerConfig
from chef_supervisor.sandboxes.docker import DockerSandbox
from chef_supervisor.sandboxes.leftover import Leftover, LeftoverKind
from chef_supervisor.sandboxes.sandbox import BoxOrder
from tests.integration.sandboxes.boxes import order, run, shell, work
from tests.integration.sandboxes.conftest import docker_config

pytestmark = [pytest.mark.asyncio, pytest.mark.docker]
RUN = RunId(JobId("builds.0_" + 26 * "a"), 2)
LABELS = {"chef.job": RUN.job_id, "chef.run": str(RUN.number)}


@pytest.fixture
def config() -> DockerConfig:
    return docker_config()


@pytest_asyncio.fixture
async def sandbox(config: DockerConfig) -> AsyncIterator[DockerSandbox]:
    """Yields: this process's; all that carries its mark is removed afterwards."""
    sandbox = DockerSandbox(config)
    yield sandbox
    for leftover in await of(sandbox, config):
        await sandbox.remove(leftover)
    await sandbox.close()


@pytest_asyncio.fixture
async def dead(config: DockerConfig) -> AsyncIterator[DockerSandbox]:
    """Yields: the sandbox of an earlier process of the same instance; what it holds it never lets go of."""
    sandbox = DockerSandbox(config)
    sandbox.belong_to("here")
    yield sandbox
    await sandbox.close()


@pytest_asyncio.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    """Yields: what is entered here is left after the test."""
    async with AsyncExitStack() as stack:
        yield stack


async def of(sandbox: DockerSandbox, config: DockerConfig) -> list[Leftover]:
    return [leftover for leftover in await sandbox.leftovers() if leftover.instance == config.instance]


def of_run(name: str) -> BoxOrder:
    return attrs.evolve(order(name=name), labels=LABELS)


async def test_what_another_process_made_is_told_with_all_its_marks(
    sandbox: DockerSandbox, dead: DockerSandbox, config: DockerConfig, stack: AsyncExitStack
) -> None:
    name = config.instance
    dependencies = await stack.enter_async_context(dead.dependencies(name, RUN))
    box = await stack.enter_async_context(dead.box(of_run(f"chef-{name}"), dependencies))

    told = {leftover.kind: leftover for leftover in await of(sandbox, config)}

    volume, container = LeftoverKind.VOLUME, LeftoverKind.CONTAINER
    marked = Leftover(
        handle=box.container, kind=container, role="job", instance=config.instance, realm="here", run=RUN
    )  # fmt: skip
    assert told == {
        container: marked,
        volume: attrs.evolve(marked, handle=f"chef-deps-{name}", kind=volume, role="dependencies"),
    }
    assert await of(dead, config) == []


async def test_a_box_that_runs_is_removed_and_so_is_its_volume(
    sandbox: DockerSandbox, dead: DockerSandbox, config: DockerConfig, stack: AsyncExitStack
) -> None:
    dependencies = await stack.enter_async_context(dead.dependencies(config.instance, RUN))
    await stack.enter_async_context(dead.box(of_run(f"chef-{config.instance}"), dependencies))
    leftovers = await of(sandbox, config)

    with pytest.raises(SandboxUnavailable, match="in use"):
        await sandbox.remove(leftovers[-1])
    for leftover in (*leftovers, *leftovers):
        await sandbox.remove(leftover)

    assert await of(sandbox, config) == []


async def test_a_network_of_ours_is_a_leftover(sandbox: DockerSandbox, config: DockerConfig) -> None:
    client = docker.APIClient(base_url=config.host)
    made = client.create_network(config.instance, labels={"chef.supervisor": config.instance})
    client.close()

    [leftover] = await of(sandbox, config)
    await sandbox.remove(leftover)
    await sandbox.remove(leftover)

    assert (leftover.handle, leftover.kind, leftover.run) == (made["Id"], LeftoverKind.NETWORK, None)
    assert await of(sandbox, config) == []


async def test_a_name_that_a_dead_process_has_is_taken_from_it(
    sandbox: DockerSandbox, dead: DockerSandbox, config: DockerConfig, stack: AsyncExitStack
) -> None:
    the_order = of_run(f"chef-{config.instance}")
    await stack.enter_async_context(dead.box(the_order, None))

    async with sandbox.box(the_order, None) as box:
        events = [event async for event in box.run(work(shell("true")))]

    assert events
    assert await of(sandbox, config) == []


async def test_a_name_that_somebody_alive_may_have_is_refused(
    sandbox: DockerSandbox, config: DockerConfig, stack: AsyncExitStack
) -> None:
    other = DockerSandbox(attrs.evolve(config, instance=f"{config.instance}-other"))
    stack.push_async_callback(other.close)
    the_order = of_run(f"chef-{config.instance}")
    await stack.enter_async_context(other.box(the_order, None))

    with pytest.raises(SandboxUnavailable, match="already in use"):
        await stack.enter_async_context(sandbox.box(the_order, None))
    assert len(await of(other, config)) == 0


async def test_this_process_has_no_two_boxes_of_one_name(sandbox: DockerSandbox, config: DockerConfig) -> None:
    the_order = of_run(f"chef-{config.instance}")

    async with sandbox.box(the_order, None) as box:
        with pytest.raises(SandboxUnavailable, match="already in use"):
            async with sandbox.box(the_order, None):
                pass
        assert [event async for event in box.run(work(shell("true")))]


async def test_a_probe_makes_a_box_and_leaves_none(
    sandbox: DockerSandbox, config: DockerConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    real = docker.APIClient.create_container

    def note(self: docker.APIClient, **asked: Any) -> Any:
        made.append(str(asked["labels"]))
        return real(self, **asked)

    monkeypatch.setattr(docker.APIClient, "create_container", note)
    await sandbox.probe()

    [labels] = made
    assert "'chef.role': 'probe'" in labels
    assert "chef.job" not in labels
    assert await of(sandbox, config) == []


async def test_a_ping_makes_nothing(sandbox: DockerSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(docker.APIClient, "create_container", fail)

    await sandbox.ping()


async def test_an_ordinary_box_is_no_leftover_after_it(sandbox: DockerSandbox, config: DockerConfig) -> None:
    await run(sandbox, work(shell("true")))

    assert await of(sandbox, config) == []
