"""One Redis and as many supervisors on it as a test starts: what the faults are done to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import attrs
import httpx

from tests.kit.docker_engine import docker_host
from tests.kit.faulty_service import held
from tests.kit.hook_kit import SECRET
from tests.kit.invariants import violations
from tests.kit.redis_servers import REDIS_62, RedisProcess, running_process
from tests.kit.service import Service, started

# With a script, the null sandbox has a step to pass.
TINY: Final = {"package.json": '{"scripts": {"build": "true", "test": "true", "lint": "true"}}'}
_SHORT_LEASES: Final = {"CHEF_QUEUE_LEASE_S": "3", "CHEF_QUEUE_RENEW_S": "1", "CHEF_QUEUE_REAP_S": "0.5"}
_NULL: Final = {"CHEF_SANDBOX": "null", "NODE_ENV": "test"}


@attrs.define(eq=False)
class Deployment:
    """`accepted` are the jobs that were answered with 201; `env` is what all supervisors are started with."""

    redis: RedisProcess
    folder: Path
    env: Mapping[str, str]
    accepted: list[str] = attrs.field(factory=list)
    _stack: ExitStack = attrs.field(factory=ExitStack)

    def serve(
        self, name: str = "a", *, module: Sequence[str] = ("chef_supervisor",), ready: str = "api.listening", **env: str
    ) -> Service:
        """Returns: a supervisor that runs; one name is one identity, so the same name again is its restart."""
        where = {"CHEF_REDIS_UNIX_SOCKET": str(self.redis.socket), "CHEF_INSTANCE": name}
        merged = {**self.env, **where, **env}
        return self._stack.enter_context(started(self.folder / "state", module=module, ready=ready, **merged))

    def submit(
        self,
        service: Service,
        tenant: str = "tests",
        job_type: str = "build",
        files: Mapping[str, str] = TINY,
        **top: object,
    ) -> str:
        """Returns: the id of a job that was accepted."""
        job_id = service.submit(job_type, files, tenant=tenant, **top)
        self.accepted.append(job_id)
        return job_id

    def submit_many(self, service: Service, count: int) -> list[str]:
        """Returns: the ids of as many jobs."""
        with service.client() as client:
            answers = [client.post("/api/jobs", json=tiny_job(f"tenant-{number % 7}")) for number in range(count)]
        assert {answer.status_code for answer in answers} <= {httpx.codes.CREATED}, [
            one.text for one in answers if not one.is_success
        ]
        job_ids = [answer.json()["jobId"] for answer in answers]
        self.accepted += job_ids
        return job_ids

    def bystander(self, **env: str) -> Service:
        """Returns: a supervisor that reaps like any other, and has no slot to claim with until `release`."""
        service = self.serve("bystander", module=held(self._released), MAX_CONCURRENT_WORKERS="1", **env)
        service.wait_for_event("job.processing", job_id=self.submit(service, tenant="bystander"))
        return service

    def holding(self, name: str = "a", **env: str) -> Service:
        """Returns: a supervisor whose jobs do not end until `release`."""
        return self.serve(name, module=held(self._released), **env)

    def release(self) -> None:
        """Let all boxes end that are held."""
        self._released.touch()

    @property
    def _released(self) -> Path:
        return self.folder / "released"

    def violations(self, *, over: bool = True) -> list[str]:
        """Returns: what of the invariants does not hold. `over`: all that was accepted should be."""
        docker = docker_host() if self.env.get("CHEF_SANDBOX") == "docker" else None
        with self.redis.client() as client:
            return violations(client, self.accepted, over=over, containers=docker)

    def close(self) -> None:
        """End all supervisors; what is held would take up their whole grace."""
        self.release()
        self._stack.close()


def told_to(url: str) -> dict[str, str]:
    """Returns: what a supervisor is started with that tells one endpoint of all jobs."""
    return {"CHEF_WEBHOOKS_URL": url, "CHEF_WEBHOOKS_SECRETS": SECRET}


def tiny_job(tenant: str = "tests", **top: object) -> dict[str, Any]:
    """Returns: the body of a request."""
    return {"type": "build", "data": {"chatId": tenant, "projectFiles": TINY}, **top}


@contextmanager
def deployed(folder: Path, **env: str) -> Iterator[Deployment]:
    """Yields: a Redis of its own and no supervisor yet; short leases and the null sandbox unless `env` says otherwise."""
    with running_process(REDIS_62) as redis:
        deployment = Deployment(redis, folder, {**_NULL, **_SHORT_LEASES, **env})
        try:
            yield deployment
        finally:
            # One that hangs would not hear that it is to end.
            redis.resume()
            deployment.close()
