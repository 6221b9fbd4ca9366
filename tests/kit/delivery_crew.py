"""Two supervisors on one Redis, which may all be killed at any moment and come back as they were."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import attrs

from tests.kit.hook_kit import CALLBACK_SECRET, SECRET
from tests.kit.hurried_service import hurried
from tests.kit.redis_servers import REDIS_62, RedisProcess, running_process
from tests.kit.service import Service, started
from tests.kit.sick_receivers import DOMAIN, HEALTHY_PATH, SickReceivers

NAMES: Final = ("first", "second")
_KILLS: Final = (*NAMES, "redis", "power cut")


@attrs.define(eq=False, kw_only=True)
class Crew:
    """`services`: those that run, by name; `past`: all that ever ran. `kills`: by what was killed."""

    redis: RedisProcess
    start: Callable[[str], Service]
    chance: random.Random
    services: dict[str, Service] = attrs.field(factory=dict)
    past: list[Service] = attrs.field(factory=list)
    kills: Counter[str] = attrs.field(factory=Counter)
    start_kb: int = 0
    peak_kb: int = 0
    fallen: list[str] = attrs.field(factory=list)
    _left: list[str] = attrs.field(factory=list)

    @property
    def urls(self) -> Sequence[str]:
        """Where supervisors listen, or did before they were killed."""
        return [service.url for service in list(self.services.values())]

    def serve(self, name: str) -> None:
        """Start that one."""
        self.services[name] = service = self.start(name)
        self.past.append(service)
        self.start_kb = self.start_kb or _status_kb(service, "VmRSS")

    def strike(self) -> None:
        """Kill the next one, or everything at once, and start it again; of four in a row each is another."""
        if not self._left:
            self._left = self.chance.sample(_KILLS, len(_KILLS))
        kill = self._left.pop()
        self.kills[kill] += 1
        names = NAMES if kill == "power cut" else tuple(name for name in NAMES if name == kill)
        for name in names:
            self._kill(name)
        if kill in {"redis", "power cut"}:
            self.redis.kill()
            self.redis.start()
        for name in names:
            self.serve(name)

    def measure(self) -> None:
        """Take note of what the supervisors used at most; before they are gone."""
        self.peak_kb = max([self.peak_kb, *(_status_kb(service, "VmHWM") for service in self.services.values())])

    def _kill(self, name: str) -> None:
        process = self.services[name].process
        if process.poll() is not None:
            self.fallen.append(f"supervisor {name} ended by itself with {process.returncode}")
            return
        self.measure()
        process.kill()
        process.wait()


def _status_kb(service: Service, field: str) -> int:
    status = Path(f"/proc/{service.process.pid}/status")
    if service.process.poll() is not None:
        return 0
    [line] = [line for line in status.read_text().splitlines() if line.startswith(field)]
    return int(line.split()[1])


def _env(redis: RedisProcess, receivers: SickReceivers, folder: Path) -> Mapping[str, str]:
    return {
        "CHEF_SANDBOX": "null",
        "NODE_ENV": "test",
        "MAX_CONCURRENT_WORKERS": "8",
        "CHEF_REDIS_UNIX_SOCKET": str(redis.socket),
        "CHEF_QUEUE_LEASE_S": "3",
        "CHEF_QUEUE_RENEW_S": "1",
        "CHEF_QUEUE_REAP_S": "0.5",
        "CHEF_WEBHOOKS_URL": f"http://127.0.0.1:{receivers.healthy_port}{HEALTHY_PATH}",
        "CHEF_WEBHOOKS_SECRETS": SECRET,
        "CHEF_WEBHOOKS_CALLBACK_HOSTS": f"*.{DOMAIN}",
        "CHEF_WEBHOOKS_CALLBACK_SECRETS": CALLBACK_SECRET,
        "SSL_CERT_FILE": str(folder / "authority.pem"),
    }


@contextmanager
def crew(receivers: SickReceivers, folder: Path, chance: random.Random) -> Iterator[Crew]:
    """
    Yields: all of it, started, on a Redis that writes each change to disk before it answers.

    With the default, once a second, a crash of Redis may lose what it has acknowledged in the last second, and then not
    every end would have to be told.
    """
    with ExitStack() as stack:
        redis = stack.enter_context(running_process(REDIS_62, appendfsync="always"))
        env = _env(redis, receivers, folder)

        def start(name: str) -> Service:
            module = hurried(port=receivers.port, well=receivers.well, seed=chance.randrange(1 << 30))
            return stack.enter_context(started(folder / "state", module=module, CHEF_INSTANCE=name, **env))

        made = Crew(redis=redis, start=start, chance=chance)
        for name in NAMES:
            made.serve(name)
        yield made
        made.measure()
