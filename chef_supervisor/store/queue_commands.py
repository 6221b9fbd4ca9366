"""The commands of one queue, each with a batcher of its own. Takes and answers what the scripts do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import attrs

from chef_supervisor.domain.job import Fence
from chef_supervisor.domain.outcome import Cause, Result, Verdict
from chef_supervisor.store import scripts
from chef_supervisor.store.batching import MAX_BYTES, Batcher
from chef_supervisor.store.codec import encode_result, pack_small
from chef_supervisor.store.config import StoreConfig
from chef_supervisor.store.connect import Reply
from chef_supervisor.store.evaluate import Call, Evaluator, Item
from chef_supervisor.store.keys import QueueKeys
from chef_supervisor.store.scripts import Script

# What one script may take or look at, so that the server is not busy for more than a few milliseconds.
MAX_SLOTS: Final = 256
_BYTES_PER_SLOT: Final = MAX_BYTES // MAX_SLOTS
_POISONED: Final = Result(
    verdict=Verdict.FAILED,
    cause=Cause.POISONED,
    message="every run of this job was lost together with the supervisor or the container that ran it",
)
Commands = Batcher[Item, Reply]


@attrs.define(eq=False)
class QueueCommands:
    """One batcher a command."""

    keys: QueueKeys
    config: StoreConfig
    evaluator: Evaluator
    submit: Commands = attrs.field(init=False)
    claim: Commands = attrs.field(init=False)
    renew: Commands = attrs.field(init=False)
    progress: Commands = attrs.field(init=False)
    finish: Commands = attrs.field(init=False)
    release: Commands = attrs.field(init=False)
    reap: Commands = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        config, clock = self.config, self.evaluator.clock
        lease_ms = _ms(config.lease_s)
        retention = (config.keep_jobs, _ms(config.keep_s), config.keep_bytes)
        poisoned = pack_small(encode_result(_POISONED))
        self.submit = self._batcher(scripts.SUBMIT, lambda: (clock.now(), config.max_jobs, config.max_bytes))
        self.claim = self._batcher(scripts.CLAIM, lambda: (clock.now(), clock.latest(), lease_ms, MAX_BYTES))
        self.claim.weigh = lambda item: int(item[1]) * _BYTES_PER_SLOT
        self.claim.orphaned = lambda item, jobs: self.give_back(str(item[0]), jobs)
        self.renew = self._batcher(scripts.RENEW, lambda: (clock.now(), lease_ms))
        self.progress = self._batcher(scripts.PROGRESS, lambda: (clock.now(),))
        self.finish = self._batcher(scripts.FINISH, lambda: (clock.now(), *retention))
        self.release = self._batcher(scripts.RELEASE, lambda: (clock.now(),))
        self.reap = self._batcher(
            scripts.REAP,
            lambda: (clock.now(), clock.latest(), config.max_ruined_runs, poisoned, *retention),
            max_items=1,
        )

    def give_back(self, nonce: str, jobs: Iterable[Reply]) -> None:
        """Put back claimed jobs that nobody took; where that fails, their leases run out."""
        for job in jobs:
            self.release.post((job[0], fence_text(Fence(run=job[3], nonce=nonce))))

    def batchers(self) -> Iterable[Commands]:
        """Returns: all of them; `release` after those whose replies may cause releases."""
        return (self.submit, self.claim, self.renew, self.progress, self.finish, self.reap, self.release)

    def _batcher(self, script: Script, argv: Callable[[], Item], max_items: int = MAX_SLOTS) -> Commands:
        call = Call(script, self.keys.keys(script.keys), argv)
        return Batcher(lambda items: self.evaluator.run(call, items), weigh=_weigh, max_items=max_items)


def fence_text(fence: Fence) -> str:
    """Returns: the fence as the scripts compare it."""
    return f"{fence.run}:{fence.nonce}"


def _weigh(item: Item) -> int:
    return sum(len(value) for value in item if isinstance(value, (str, bytes)))


def _ms(seconds: float) -> int:
    return int(seconds * 1000)
