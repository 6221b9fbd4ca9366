"""The boxes of the supervisors under test, and no others."""

from __future__ import annotations

import random
from collections.abc import Sequence

import docker
import docker.errors
import psutil

from scripts.chaos.supervisors import Supervisor
from tests.kit.invariants import containers_of


def kill_container(host: str, job_ids: Sequence[str], chance: random.Random) -> str | None:
    """Returns: the name of a container that was killed; None where there was none."""
    names = sorted(name for _, name in containers_of(host, set(job_ids)))
    if not names:
        return None
    name = chance.choice(names).lstrip("/")
    client = docker.APIClient(base_url=host)
    try:
        client.kill(name)
    except docker.errors.APIError:
        # It ended by itself in between.
        return None
    finally:
        client.close()
    return name


def kill_process_box(supervisors: Sequence[Supervisor], chance: random.Random) -> str | None:
    """Returns: the same for a bubblewrap box, whose agent is a child of its supervisor."""
    agents = [
        process
        for supervisor in supervisors
        if supervisor.pid is not None and psutil.pid_exists(supervisor.pid)
        for process in psutil.Process(supervisor.pid).children(recursive=True)
        if _is_agent(process)
    ]
    if not agents:
        return None
    agent = chance.choice(agents)
    try:
        agent.kill()
    except psutil.NoSuchProcess:
        return None
    return f"process {agent.pid}"


def _is_agent(process: psutil.Process) -> bool:
    try:
        return process.cmdline()[-1:] == ["/opt/chef/agent"]
    except psutil.Error:
        return False
