"""However a box ends, its consumer is told within seconds and nothing of it stays behind."""

from __future__ import annotations

import asyncio
import signal
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import attrs
import docker
import docker.errors
import pytest

from chef_supervisor.domain.errors import SandboxUnavailable
from chef_supervisor.domain.work import BoxEnded, BoxEvent, EndedBy, StepOutput
from chef_supervisor.sandboxes.bubblewrap.sandbox import BubblewrapBox
from chef_supervisor.sandboxes.conversation import Conversation
from chef_supervisor.sandboxes.docker.sandbox import DockerBox, DockerSandbox
from chef_supervisor.sandboxes.sandbox import Box, BoxOrder, Role, Sandbox
from tests.integration.sandboxes.boxes import LIMITS, eventually, order, processes_with, run, shell, work
from tests.integration.sandboxes.conftest import docker_config
from tests.kit.docker_engine import require_docker

pytestmark = pytest.mark.asyncio

# A stopping service has 10 s to end its boxes, clean up behind them and give its jobs back.
QUICKLY_S = 5.0
# Holds a box until it is killed.
HOLDER = """
import asyncio, sys
from pathlib import Path
from chef_supervisor.domain.work import Step, StepOutput, Work
from chef_supervisor.sandboxes.bubblewrap import BubblewrapSandbox
from chef_supervisor.sandboxes.config import BubblewrapConfig, DockerConfig
from chef_supervisor.sandboxes.docker import DockerSandbox
from chef_supervisor.sandboxes.sandbox import BoxOrder, Limits, Role

async def hold(kind, place, marker):
    docker = kind == "docker"
    sandbox = DockerSandbox(DockerConfig(host=place)) if docker else BubblewrapSandbox(BubblewrapConfig(data_dir=Path(place)))
    limits = Limits(memory_bytes=256 << 20, cpus=1, pids=64, workspace_bytes=64 << 20)
    step = Step(name="sleep", argv=("sh", "-c", "echo ready; sleep 600; : " + marker), timeout_s=600)
    async with sandbox.box(BoxOrder(name="chef-test-" + marker, role=Role.JOB, limits=limits), None) as box:
        async for event in box.run(Work(files={}, steps=(step,), timeout_s=600)):
            if isinstance(event, StepOutput):
                print("ready", flush=True)

asyncio.run(hold(*sys.argv[1:]))
"""


def marker() -> str:
    return uuid.uuid4().hex


async def until_output(events: AsyncIterator[BoxEvent]) -> None:
    while not isinstance(await anext(events), StepOutput):
        pass


def kill_from_outside(box: Box) -> None:
    if isinstance(box, DockerBox):
        client = docker.DockerClient(base_url=require_docker())
        client.containers.get(box.container).kill()
        client.close()
    else:
        assert isinstance(box, BubblewrapBox)
        agent = box._process._agent
        assert agent is not None
        signal.pidfd_send_signal(agent, signal.SIGKILL)


async def test_a_box_killed_from_outside_is_incomplete(sandbox: Sandbox) -> None:
    mark = marker()
    async with sandbox.box(order(), None) as box:
        events = box.run(work(shell(f"echo ready; sleep 600; : {mark}")))
        await until_output(events)

        await asyncio.to_thread(kill_from_outside, box)
        rest = [event async for event in events]

    assert rest == [BoxEnded(complete=False, ended_by=EndedBy.KILLED)]
    assert processes_with(mark) == []


async def test_a_box_killed_before_its_work_is_incomplete(sandbox: Sandbox) -> None:
    async with sandbox.box(order(), None) as box:
        await asyncio.to_thread(kill_from_outside, box)

        events = [event async for event in box.run(work(shell("true"), files={"big": bytes(5_000_000)}))]

    assert events == [BoxEnded(complete=False, ended_by=EndedBy.KILLED)]


async def test_a_cancelled_consumer_leaves_nothing(sandbox: Sandbox) -> None:
    mark, ready = marker(), asyncio.Event()

    async def consume() -> None:
        async with sandbox.box(order(), None) as box:
            async for event in box.run(work(shell(f"echo ready; sleep 600; : {mark}"))):
                if isinstance(event, StepOutput):
                    ready.set()

    consumer = asyncio.create_task(consume())
    await ready.wait()
    assert processes_with(mark)

    consumer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await consumer

    assert processes_with(mark) == []
    if isinstance(sandbox, DockerSandbox):
        assert await asyncio.to_thread(containers_of, sandbox) == []


async def test_a_box_that_talks_on_is_left_at_once(sandbox: Sandbox) -> None:
    what = attrs.evolve(work(shell("yes")), live_bytes_per_s=1 << 40, most_output_bytes=1 << 50)
    async with sandbox.box(order(), None) as box:
        await until_output(box.run(what))
        # Until every buffer on the way is full.
        await asyncio.sleep(0.5)
        left_at = asyncio.get_running_loop().time()

    assert asyncio.get_running_loop().time() - left_at < QUICKLY_S


async def test_a_container_made_for_nobody_is_removed(docker_sandbox: DockerSandbox) -> None:
    docker_sandbox._engine._config = attrs.evolve(docker_sandbox._config, hurry_s=0.001)
    for turns in (1, 20, 200):
        starting = asyncio.create_task(run(docker_sandbox, work(shell("sleep 600"))))
        for _ in range(turns):
            await asyncio.sleep(0)

        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting

    await eventually(lambda: not threads_at_work(docker_sandbox), "the engine has done all it was asked")
    assert await asyncio.to_thread(containers_of, docker_sandbox) == []


def threads_at_work(sandbox: DockerSandbox) -> bool:
    """Returns: whether one of its threads has not come back for more."""
    pool = sandbox._engine._pool
    return len(pool._threads) != pool._idle_semaphore._value


async def test_cancelling_while_a_box_starts_leaves_nothing(docker_sandbox: DockerSandbox) -> None:
    for turns in (1, 20, 200):
        starting = asyncio.create_task(run(docker_sandbox, work(shell("sleep 600"))))
        for _ in range(turns):
            await asyncio.sleep(0)

        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting

        assert await asyncio.to_thread(containers_of, docker_sandbox) == []


def containers_of(sandbox: DockerSandbox) -> list[str]:
    client = docker.DockerClient(base_url=require_docker())
    found = client.containers.list(all=True, filters={"label": f"chef.supervisor={sandbox._config.instance}"})
    client.close()
    return [container.name or "" for container in found]


async def test_a_box_ends_with_its_supervisor(sandbox: Sandbox, tmp_path: Path) -> None:
    mark = marker()
    place = require_docker() if isinstance(sandbox, DockerSandbox) else str(tmp_path)
    argv = (sys.executable, "-c", HOLDER, sandbox.name, place, mark)
    supervisor = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
    assert supervisor.stdout is not None
    assert await supervisor.stdout.readline() == b"ready\n"

    supervisor.kill()
    await supervisor.wait()

    try:
        await eventually(lambda: not processes_with(mark), "the box is gone")
    finally:
        if isinstance(sandbox, DockerSandbox):
            await asyncio.to_thread(remove_container, f"chef-test-{mark}")


def remove_container(name: str) -> None:
    client = docker.DockerClient(base_url=require_docker())
    client.containers.get(name).remove(force=True)
    client.close()


async def test_many_boxes_at_once(sandbox: Sandbox) -> None:
    async with asyncio.TaskGroup() as group:
        runs = [group.create_task(run(sandbox, work(shell(f"echo {n}")))) for n in range(8)]

    assert [task.result().output() for task in runs] == [f"{n}\n".encode() for n in range(8)]


async def test_a_name_that_runs_already_is_refused(sandbox: Sandbox) -> None:
    twice = order()
    async with sandbox.box(twice, None) as first:
        with pytest.raises(SandboxUnavailable, match="already in use"):
            async with sandbox.box(twice, None):
                pass

        assert [event async for event in first.run(work())][-1] == BoxEnded(complete=True, ended_by=EndedBy.EXIT)


async def test_a_dead_box_of_ours_gives_its_name_back(docker_sandbox: DockerSandbox) -> None:
    again = order()
    client = docker.DockerClient(base_url=require_docker())
    instance = docker_sandbox._config.instance
    image = docker_sandbox._config.image
    await asyncio.to_thread(client.containers.create, image, name=again.name, labels={"chef.supervisor": instance})
    client.close()

    async with docker_sandbox.box(again, None) as box:
        assert [event async for event in box.run(work())]


async def test_a_dead_container_of_somebody_else_is_left_alone(docker_sandbox: DockerSandbox) -> None:
    again = order()
    client = docker.DockerClient(base_url=require_docker())
    theirs = await asyncio.to_thread(client.containers.create, docker_sandbox._config.image, name=again.name)
    try:
        with pytest.raises(SandboxUnavailable, match="already in use"):
            async with docker_sandbox.box(again, None):
                pass
        await asyncio.to_thread(theirs.reload)
    finally:
        await asyncio.to_thread(theirs.remove, force=True)
        client.close()


async def test_a_container_carries_its_labels(docker_sandbox: DockerSandbox) -> None:
    labelled = BoxOrder(name=order().name, role=Role.JOB, limits=LIMITS, labels={"chef.job": "j", "chef.role": "lie"})
    client = docker.DockerClient(base_url=require_docker())
    async with docker_sandbox.box(labelled, None) as box:
        container = await asyncio.to_thread(client.containers.get, box.container)
    client.close()

    assert container.labels["chef.job"] == "j"
    assert container.labels["chef.role"] == "job"
    assert container.labels["chef.supervisor"] == docker_sandbox._config.instance


async def test_an_image_that_is_not_there_says_what_to_do() -> None:
    config = docker_config()
    sandbox = DockerSandbox(type(config)(host=config.host, image="chef-no-such-image:dev"))

    with pytest.raises(SandboxUnavailable, match="scripts/images"):
        await sandbox.probe()

    await sandbox.close()


async def test_a_box_that_says_no_hello_is_removed(
    docker_sandbox: DockerSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(_: Conversation) -> bool:
        return False

    monkeypatch.setattr(Conversation, "hello", silent)

    with pytest.raises(SandboxUnavailable, match="did not say hello"):
        await run(docker_sandbox, work())

    assert await asyncio.to_thread(containers_of, docker_sandbox) == []


async def test_a_volume_of_somebody_else_is_left_alone(docker_sandbox: DockerSandbox) -> None:
    name = marker()
    client = docker.DockerClient(base_url=require_docker())
    theirs = await asyncio.to_thread(client.volumes.create, f"chef-deps-{name}")
    try:
        with pytest.raises(SandboxUnavailable, match="not ours"):
            async with docker_sandbox.dependencies(name):
                pass
        await asyncio.to_thread(theirs.reload)
    finally:
        await asyncio.to_thread(theirs.remove)
        client.close()


async def test_a_volume_left_behind_is_made_anew(docker_sandbox: DockerSandbox) -> None:
    name = marker()
    client = docker.DockerClient(base_url=require_docker())
    labels = {"chef.supervisor": docker_sandbox._config.instance}
    await asyncio.to_thread(client.volumes.create, f"chef-deps-{name}", labels=labels)

    async with docker_sandbox.dependencies(name):
        pass

    with pytest.raises(docker.errors.NotFound):
        await asyncio.to_thread(client.volumes.get, f"chef-deps-{name}")
    client.close()
