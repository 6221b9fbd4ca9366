"""Boxes of the Docker Engine that are started ahead of need: a job has one at once, and no job has it after it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import docker
import docker.errors
import pytest
import pytest_asyncio

from chef_supervisor.domain.errors import SandboxUnavailable
from chef_supervisor.domain.job import JobId, RunId
from chef_supervisor.sandboxes.config import DockerConfig
from chef_supervisor.sandboxes.docker import DockerSandbox
from chef_supervisor.sandboxes.docker.box_names import taken_name
from chef_supervisor.sandboxes.sandbox import BoxOrder
from chef_supervisor.sandboxes.sweeper import of_realm
from tests.integration.sandboxes.boxes import LIMITS, order, shell, work
from tests.integration.sandboxes.conftest import docker_config

pytestmark = [pytest.mark.asyncio, pytest.mark.docker]
RUN = RunId(JobId("builds.0_" + 26 * "b"), 7)
KEY = 40 * "c"


@pytest.fixture
def config() -> DockerConfig:
    return docker_config()


@pytest_asyncio.fixture
async def sandbox(config: DockerConfig) -> AsyncIterator[DockerSandbox]:
    """Yields: one that has a realm, as after the start of the service."""
    sandbox = DockerSandbox(config)
    sandbox.belong_to("here")
    await sandbox.ping()
    yield sandbox
    await sandbox.close()


def names(config: DockerConfig) -> dict[str, str]:
    """Returns: the names of the containers of that mark, and their states."""
    client = docker.APIClient(base_url=config.host)
    found = client.containers(all=True, filters={"label": f"chef.supervisor={config.instance}"})
    return {one["Names"][0].removeprefix("/"): one["State"] for one in found}


@asynccontextmanager
async def kept_warm(sandbox: DockerSandbox, count: int = 1) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(sandbox.keep_warm(LIMITS, count))
        try:
            await until_waiting(sandbox, count)
            yield
        finally:
            task.cancel()


async def until_waiting(sandbox: DockerSandbox, count: int) -> None:
    """Return when so many wait, and have said hello."""
    async with asyncio.timeout(30):
        while len(sandbox._warm._waiting) != count:  # noqa: ASYNC110  (nobody else is told)
            await asyncio.sleep(0.05)


def of_job() -> BoxOrder:
    labels = {"chef.job": RUN.job_id, "chef.run": str(RUN.number)}
    return attrs.evolve(order(name=f"chef-{RUN.job_id}-{RUN.number}"), labels=labels)


async def test_a_job_has_the_box_that_waited_under_its_own_name(sandbox: DockerSandbox, config: DockerConfig) -> None:
    async with kept_warm(sandbox):
        [waiting] = names(config)
        async with sandbox.box(of_job(), None) as box:
            [taken] = names(config)
            events = [event async for event in box.run(work(shell("echo warm")))]

    assert waiting.startswith("chef-warm-")
    assert taken == f"chef.{RUN.job_id}-{RUN.number}.chef"
    assert any(getattr(event, "chunk", b"") == b"warm\n" for event in events)
    assert not names(config)


async def test_what_a_job_depends_on_stands_in_the_name_and_is_in_use(
    sandbox: DockerSandbox, config: DockerConfig
) -> None:
    async with kept_warm(sandbox), sandbox.box(of_job(), sandbox.shelf.entry(KEY)):
        [taken] = names(config)
        other = DockerSandbox(attrs.evolve(config, instance="another"))
        [seen] = [left for left in await other.leftovers() if left.instance == config.instance]
        await other.close()

    assert taken.endswith(f".{KEY}")
    assert seen.run == RUN
    assert not seen.over


async def test_one_that_died_while_it_waited_is_not_given(sandbox: DockerSandbox, config: DockerConfig) -> None:
    async with kept_warm(sandbox):
        [waiting] = names(config)
        [warm] = sandbox._warm._waiting
        docker.APIClient(base_url=config.host).kill(waiting)
        async with asyncio.timeout(10):
            while warm.box.alive:  # noqa: ASYNC110  (its end is read on the way)
                await asyncio.sleep(0.01)
        async with sandbox.box(of_job(), None) as box:
            events = [event async for event in box.run(work(shell("exit 3")))]

    assert any(getattr(event, "exit_code", None) == 3 for event in events)


async def test_where_the_name_is_in_the_way_the_job_has_a_box_all_the_same(
    sandbox: DockerSandbox, config: DockerConfig
) -> None:
    client = docker.APIClient(base_url=config.host)
    old = client.create_container(
        config.image, name=taken_name(of_job(), ""), labels={"chef.supervisor": config.instance}
    )
    async with kept_warm(sandbox), sandbox.box(of_job(), None) as box:
        events = [event async for event in box.run(work(shell("exit 3")))]

    assert any(getattr(event, "exit_code", None) == 3 for event in events)
    client.remove_container(old["Id"])


async def test_a_second_box_of_one_name_is_refused(sandbox: DockerSandbox) -> None:
    async with kept_warm(sandbox, 2), sandbox.box(of_job(), sandbox.shelf.entry(KEY)):
        with pytest.raises(SandboxUnavailable, match="already in use"):
            async with sandbox.box(of_job(), None):
                pass


async def test_other_limits_get_a_box_of_their_own(sandbox: DockerSandbox, config: DockerConfig) -> None:
    async with kept_warm(sandbox):
        [waiting] = names(config)
        small = attrs.evolve(of_job(), limits=attrs.evolve(LIMITS, pids=32))
        async with sandbox.box(small, None):
            there = names(config)

    assert waiting in there
    assert len(there) == 2


async def test_what_a_dead_supervisor_kept_warm_ends_and_is_an_orphan_for_every_other(config: DockerConfig) -> None:
    dead, other = DockerSandbox(config), DockerSandbox(attrs.evolve(config, instance="another"))
    dead.belong_to("here")
    await dead.ping()
    keeping = asyncio.ensure_future(dead.keep_warm(LIMITS, 1))
    await until_waiting(dead, 1)
    [alive] = [left for left in await other.leftovers() if left.instance == config.instance]

    # As when its process is killed: its ends of all lines are closed, and nothing is removed.
    for warm in dead._warm._waiting:
        warm.box._line.close()
    async with asyncio.timeout(20):
        while set(names(config).values()) != {"exited"}:  # noqa: ASYNC110  (nor here)
            await asyncio.sleep(0.05)
    [orphan] = of_realm([left for left in await other.leftovers() if left.instance == config.instance], "here")
    await other.remove(orphan)
    keeping.cancel()
    await asyncio.wait({keeping})

    assert not of_realm([alive], "here")
    assert orphan.over
    assert not names(config)
    await dead.close()
    await other.close()
