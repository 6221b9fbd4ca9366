"""The commands of one queue, each with a batcher of its own. Takes and answers what the scripts do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import attrs

from chef_supervisor.domain.delivery import Settlement
from chef_supervisor.domain.job import Fence
from chef_supervisor.store import endings, scripts
from chef_supervisor.store.batching import MAX_BYTES, Batcher
from chef_supervisor.store.config import StoreConfig
from chef_supervisor.store.connect import Reply
from chef_supervisor.store.evaluate import Call, Evaluator, Item
from chef_supervisor.store.keys import QueueKeys
from chef_supervisor.store.scripts import Script

# What one script may take or look at, so that the server is not busy for more than a few milliseconds.
MAX_SLOTS: Final = 256
_BYTES_PER_SLOT: Final = MAX_BYTES // MAX_SLOTS
# What a script looks at for a receiver beside what it takes.
_LEAST_SLOTS: Final = 8
# A log's last words may be older than its job's end by so much at most; its retention counts from the end.
_LONGEST_RUN_MS: Final = 3_600_000
# What callers are told is done must be on disk by then, where that is asked for. All else is found out by leases.
_DURABLE: Final = frozenset({"submit", "finish", "postpone", "cancel"})
# A flight waits up to a second for the disk, and holds a connection; whoever waited for it first would wait for two.
_FLIGHTS_TO_DISK: Final = 64
_PACE_TO_DISK_S: Final = 0.05
_FIELDS_OF_AN_END: Final = 3
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
    log: Commands = attrs.field(init=False)
    finish: Commands = attrs.field(init=False)
    release: Commands = attrs.field(init=False)
    postpone: Commands = attrs.field(init=False)
    cancel: Commands = attrs.field(init=False)
    take_back: Commands = attrs.field(init=False)
    reap: Commands = attrs.field(init=False)
    due: Commands = attrs.field(init=False)
    deliver: Commands = attrs.field(init=False)
    delivered: Commands = attrs.field(init=False)
    redeliver: Commands = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        config, clock = self.config, self.evaluator.clock
        lease_ms, keep_ms = _ms(config.lease_s), _ms(config.keep_s)
        bounds = (config.max_jobs, config.max_bytes, keep_ms, _ms(config.idempotency_s), endings.SUPERSEDED)
        retention, poison = (config.keep_jobs, keep_ms, config.keep_bytes), (config.max_ruined_runs, endings.POISONED)
        self.submit = self._batcher(scripts.SUBMIT, lambda: (clock.now(), *bounds))
        self.claim = self._batcher(
            scripts.CLAIM, lambda: (clock.now(), clock.latest(), lease_ms, MAX_BYTES, config.instance)
        )
        self.claim.weigh = lambda item: int(item[1]) * _BYTES_PER_SLOT
        self.claim.orphaned = lambda item, jobs: self.give_back(str(item[0]), jobs)
        self.renew = self._batcher(scripts.RENEW, lambda: (clock.now(), lease_ms))
        self.progress = self._batcher(scripts.PROGRESS, lambda: (clock.now(),))
        self.log = self._batcher(scripts.LOG, lambda: (clock.now(), config.log_bytes, keep_ms + _LONGEST_RUN_MS))
        self.finish = self._batcher(scripts.FINISH, lambda: (clock.now(), *retention))
        self.release = self._batcher(scripts.RELEASE, lambda: (clock.now(),))
        self.postpone = self._batcher(scripts.POSTPONE, lambda: (clock.now(), *poison, keep_ms))
        self.cancel = self._batcher(scripts.CANCEL, lambda: (clock.now(), keep_ms, endings.CANCELLED))
        self.take_back = self._batcher(
            scripts.TAKE_BACK, lambda: (clock.now(), clock.latest(), *poison, keep_ms), max_items=1
        )
        self.reap = self._batcher(
            scripts.REAP, lambda: (clock.now(), clock.latest(), lease_ms, *poison, *retention), max_items=1
        )
        self._open_outbox(keep_ms)

    def _open_outbox(self, keep_ms: int) -> None:
        clock = self.evaluator.clock
        times = (_ms(self.config.delivery_lease_s), _ms(self.config.delivery_give_up_s), keep_ms)
        self.due = self._batcher(scripts.DUE, lambda: (clock.now(),))
        self.deliver = self._batcher(scripts.DELIVER, lambda: (clock.now(), clock.latest(), *times))
        self.deliver.weigh = lambda item: max(int(item[2]), _LEAST_SLOTS) * _BYTES_PER_SLOT
        self.deliver.orphaned = lambda item, rows: self.put_back(str(item[0]), str(item[1]), rows)
        self.delivered = self._batcher(scripts.DELIVERED, lambda: (clock.now(), keep_ms))
        self.redeliver = self._batcher(scripts.REDELIVER, lambda: (clock.now(),))

    def give_back(self, nonce: str, jobs: Iterable[Reply]) -> None:
        """Put back claimed jobs that nobody took; where that fails, their leases run out."""
        for job in (job for job in jobs if is_claim(job)):
            self.release.post((job[0], fence_text(Fence(run=job[3], nonce=nonce))))

    def put_back(self, receiver: str, nonce: str, rows: Iterable[Reply]) -> None:
        """Give deliveries back that nobody took; where that fails, their leases run out."""
        for row in (row for row in rows if is_delivery(row)):
            self.delivered.post((row[0], receiver, lease_text(row[1].decode(), nonce), Settlement.BACK, 0, "", ""))

    def batchers(self) -> Iterable[Commands]:
        """Returns: all of them; `release` and `delivered` after those whose replies may cause them."""
        ends = (self.finish, self.postpone, self.cancel, self.take_back, self.reap)
        outbox = (self.due, self.redeliver, self.deliver, self.delivered)
        return (self.submit, self.claim, self.renew, self.progress, self.log, *ends, self.release, *outbox)

    def _batcher(self, script: Script, argv: Callable[[], Item], max_items: int = MAX_SLOTS) -> Commands:
        mark = self.keys.key("synced") if self.config.confirm_on_disk and script.name in _DURABLE else ""
        call = Call(script, self.keys.keys(script.keys), argv, mark)
        paced: Mapping[str, Any] = {"max_flights": _FLIGHTS_TO_DISK, "pace_s": _PACE_TO_DISK_S} if mark else {}
        return Batcher(lambda items: self.evaluator.run(call, items), weigh=_weigh, max_items=max_items, **paced)


def is_claim(job: Sequence[Reply]) -> bool:
    """Returns: whether it is a claim, and not the bare id of a job that was set aside."""
    return len(job) > 1


def is_delivery(row: Sequence[Reply]) -> bool:
    """Returns: whether it is a delivery, and not the note that one had its end."""
    return len(row) > _FIELDS_OF_AN_END


def lease_text(seq: str, nonce: str) -> str:
    """Returns: the lease of a delivery as the scripts compare it."""
    return f"{seq}:{nonce}"


def fence_text(fence: Fence) -> str:
    """Returns: the fence as the scripts compare it."""
    return f"{fence.run}:{fence.nonce}"


def _weigh(item: Item) -> int:
    # A list is made in half the time of a generator.
    return sum([len(value) for value in item if not isinstance(value, int)])


def _ms(seconds: float) -> int:
    return int(seconds * 1000)
