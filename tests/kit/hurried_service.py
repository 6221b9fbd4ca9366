"""
The real service, whose deliveries are tried again after tenths of a second instead of hours, and whose callbacks lead
to the loopback interface, or elsewhere when the names change.

    python -m tests.kit.hurried_service --port PORT --well FILE --seed N serve ...

`--port`: where all callbacks are answered. Nothing but times, names and that port is changed.
"""

from __future__ import annotations

import argparse
import functools
import logging
import random
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import httpcore

from chef_supervisor import assembly, tree
from chef_supervisor.__main__ import main
from chef_supervisor.domain import breaker, delivery_policy
from chef_supervisor.domain.retry import Backoff, BackoffKind
from chef_supervisor.settings import WebhookSettings
from chef_supervisor.store.config import StoreConfig
from chef_supervisor.webhooks import audience, configured, endpoint
from chef_supervisor.webhooks.making import make_callback
from chef_supervisor.webhooks.policy import CallbackRules, parse_hosts
from tests.kit.changing_names import ChangingNames
from tests.kit.hook_kit import LOOPBACK, may_connect

END_DELAYS_S: Final = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5)
TRIES: Final = 1 + len(END_DELAYS_S)
LEASE_S: Final = 6.0
# Longer than the receivers of a test may stand still on a busy machine, or they would see events in another order than
# they were sent in.
_DEADLINE_S: Final = 2.5
_ESCAPED: Final = "test.escaped"
log = logging.getLogger("chef.test")


def hurried(*, port: int, well: Path, seed: int) -> tuple[str, ...]:
    """Returns: what `service.started` takes as its module to start such a service."""
    return ("tests.kit.hurried_service", "--port", str(port), "--well", str(well), "--seed", str(seed))


def escaped(record: dict[str, Any]) -> bool:
    """Whether a record of the log says that a request would have left this machine."""
    return record.get("event") == _ESCAPED


def _hurry() -> None:
    # The process is the test's own: what is set here holds for nobody else.
    setting = (
        (delivery_policy, "END_DELAYS_S", END_DELAYS_S),
        (delivery_policy, "OTHER_DELAYS_S", (0.2,)),
        (endpoint, "END_DEADLINE_S", _DEADLINE_S),
        (endpoint, "OTHER_DEADLINE_S", _DEADLINE_S),
        (breaker, "_PAUSES", Backoff(kind=BackoffKind.EXPONENTIAL, delay_ms=100, max_ms=400)),
        (tree, "DELIVERY_LEASE_S", LEASE_S),
        (assembly, "StoreConfig", functools.partial(StoreConfig, delivery_lease_s=LEASE_S)),
    )
    for module, name, value in setting:
        _set(module, name, value)


def _lead_to(port: int, names: ChangingNames) -> None:
    def rules(webhooks: WebhookSettings) -> CallbackRules:
        return CallbackRules(parse_hosts("webhooks.callback_hosts", webhooks.callback_hosts), frozenset({port}))

    for module in (audience, configured):
        _set(module, "callback_rules", rules)
    made = functools.partial(make_callback, resolver=names, may_connect=may_connect)
    _set(configured, "make_callback", made)


def _set(module: ModuleType, name: str, value: object) -> None:
    if not hasattr(module, name):
        raise AttributeError(f"{module.__name__} has no {name} any more: this script would change nothing")
    setattr(module, name, value)


def _guard() -> None:
    """Whatever address a request is for: it stays on this machine, and a stray one is told of."""
    real = httpcore.AsyncConnectionPool.handle_async_request

    async def handle(self: httpcore.AsyncConnectionPool, request: httpcore.Request) -> httpcore.Response:
        host = request.url.host.decode()
        if host != LOOPBACK:
            log.error("a request for %s", host, extra={"event": _ESCAPED})
            raise httpcore.ConnectError("not in a test")
        return await real(self, request)

    httpcore.AsyncConnectionPool.handle_async_request = handle  # type: ignore[method-assign]


def _run(argv: list[str]) -> None:
    ours = argparse.ArgumentParser(prog="hurried_service", allow_abbrev=False)
    ours.add_argument("--port", type=int, required=True)
    ours.add_argument("--well", type=Path, required=True)
    ours.add_argument("--seed", type=int, required=True)
    chosen, sys.argv[1:] = ours.parse_known_args(argv)
    _hurry()
    _lead_to(chosen.port, ChangingNames(random.Random(chosen.seed), chosen.well))
    _guard()
    main()


if __name__ == "__main__":
    _run(sys.argv[1:])
