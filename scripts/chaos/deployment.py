"""What the faults are done to: two supervisors on one Redis, with the boxes that can be had here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import attrs

from scripts.chaos.supervisors import Supervisor
from tests.kit.docker_engine import docker_host, has_image, require_image
from tests.kit.own_engine import OwnEngine, own_engine
from tests.kit.redis_servers import REDIS_62, RedisProcess, running_process

RUNNER_IMAGE: Final = "chef-runner:dev"
NAMES: Final = ("first", "second")
# Each; more would only wait for the processors.
_SLOTS: Final = 3


@attrs.frozen(kw_only=True)
class Deployment:
    """`docker_host` is where the containers are, if any; `engine` is there only if it is ours to break."""

    redis: RedisProcess
    supervisors: tuple[Supervisor, ...]
    sandbox: str
    docker_host: str | None
    engine: OwnEngine | None

    def restart_the_fallen(self) -> list[str]:
        """Returns: the names of supervisors that ended though nobody killed them; they are started again."""
        fallen = [supervisor for supervisor in self.supervisors if supervisor.ended_by_itself]
        for supervisor in fallen:
            supervisor.kill()
        for supervisor in self.supervisors:
            if supervisor in fallen or supervisor.is_due:
                supervisor.start()
        return [supervisor.name for supervisor in fallen]


@contextmanager
def deployed(folder: Path, sandbox: str, *, with_engine: bool) -> Iterator[Deployment]:
    """
    Yields: all of it, started; stopped afterwards.

    Redis writes each change to disk before it answers: with the default, once a second, a crash of Redis may lose what it
    has acknowledged in the last second, and then "lost" would not have to be 0.
    """
    with ExitStack() as stack:
        engine = stack.enter_context(own_engine(RUNNER_IMAGE)) if with_engine else None
        host = engine.host if engine is not None else docker_host()
        if sandbox == "auto":
            sandbox = "docker" if host is not None and has_image(host, RUNNER_IMAGE) else "bubblewrap"
        env = {"CHEF_SANDBOX": sandbox, "MAX_CONCURRENT_WORKERS": str(_SLOTS), "NODE_ENV": "test"}
        if sandbox == "docker":
            env["DOCKER_HOST"] = host = host or require_image(RUNNER_IMAGE)
        redis = stack.enter_context(running_process(REDIS_62, appendfsync="always"))
        env["CHEF_REDIS_UNIX_SOCKET"] = str(redis.socket)
        supervisors = tuple(Supervisor(name, folder / "state", env) for name in NAMES)
        for supervisor in supervisors:
            stack.callback(supervisor.stop)
            supervisor.start()
        yield Deployment(
            redis=redis,
            supervisors=supervisors,
            sandbox=sandbox,
            docker_host=host if sandbox == "docker" else None,
            engine=engine,
        )
