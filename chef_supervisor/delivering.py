"""One delivery on lease: its message, one try to tell it, and what became of that told to the store."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable
from typing import Final

import attrs

from chef_supervisor.domain.delivery import Answer, Answered, Delivery, Message, Settlement
from chef_supervisor.domain.delivery_policy import BACK, JITTER, Ruling, hopeless, ruling
from chef_supervisor.domain.errors import StoreUnavailable
from chef_supervisor.domain.subscriber import ReceiverName
from chef_supervisor.kernel import Crashed, attempt
from chef_supervisor.store.job_store import JobStore
from chef_supervisor.webhooks.receiver import Receiver

log = logging.getLogger("chef.notifier")
_RETRY_S: Final = 0.5
# Where Redis takes scripts and does not answer reads, what is given back is due again: not at once, for ever.
_BACK_MS: Final = 1_000
# What is left of a lease for telling the store: by then the try is over, or somebody else's would overtake it.
_SETTLING_SHARE: Final = 0.2
# A try may take 15 s (`Receiver`), half of a lease: one that began later than this would be cut short by us.
_BEGINNING_SHARE: Final = 0.3
# While the process stops, or the notifier dies: what is not given back by then waits for the end of its lease.
_GIVE_BACK_S: Final = 2.0
_UNSETTLED: Final = Answer(answered=Answered.REFUSED, reason="never_answered")
_TIMEOUT: Final = Answer(answered=Answered.FAILED, reason="timeout")
INTERNAL_ERROR: Final = Answer(answered=Answered.FAILED, reason="internal_error")


@attrs.frozen
class Lease:
    """Until when a try may begin, must be over, and may be spoken for at all; by the event loop's clock."""

    begin_by_s: float
    try_by_s: float
    ends_s: float

    @classmethod
    def since(cls, taken_s: float, lease_s: float) -> Lease:
        """Returns: the lease of what was asked for at that time, so that it ends no earlier for the store."""
        return cls(
            begin_by_s=taken_s + lease_s * _BEGINNING_SHARE,
            try_by_s=taken_s + lease_s * (1 - _SETTLING_SHARE),
            ends_s=taken_s + lease_s,
        )


@attrs.frozen
class Delivering:
    """`chance`: a number from 0 to 1, for the jitter."""

    store: JobStore
    chance: Callable[[], float] = random.random

    @staticmethod
    def foregone(delivery: Delivery) -> Answer | None:
        """Returns: what is clear without a try; None where it is to be tried."""
        return _UNSETTLED if hopeless(delivery) else None

    async def tell(self, delivery: Delivery, receiver: Receiver, lease: Lease) -> Answer | None:
        """
        Try once. Cancelled, it gives the delivery back.

        Returns: how the receiver answered; `INTERNAL_ERROR` where something of ours crashed; None where it was not
            asked, for Redis was away or we were late.
        """
        try:
            answer = await attempt(self._ask(delivery, receiver, lease))
        except asyncio.CancelledError:
            await self._give_back(delivery)
            raise
        if isinstance(answer, Crashed):
            tell_of_crash(answer.error, delivery.receiver, delivery)
            return INTERNAL_ERROR
        return answer

    async def settle(self, delivery: Delivery, answer: Answer | None, lease: Lease) -> None:
        """Tell the store what became of it, until it is told or the lease is over: then it will be tried again."""
        settled = await attempt(self._settle(delivery, answer, lease))
        if isinstance(settled, Crashed):
            tell_of_crash(settled.error, delivery.receiver, delivery)

    async def _ask(self, delivery: Delivery, receiver: Receiver, lease: Lease) -> Answer | None:
        message = await self._message(delivery, lease)
        if message is None:
            return None
        try:
            async with asyncio.timeout_at(lease.try_by_s):
                return await receiver.deliver(message)
        except TimeoutError:
            return _TIMEOUT

    async def _message(self, delivery: Delivery, lease: Lease) -> Message | None:
        try:
            async with asyncio.timeout_at(lease.begin_by_s):
                message = await self.store.message(delivery)
        except (StoreUnavailable, TimeoutError):
            return None
        return message if asyncio.get_running_loop().time() < lease.begin_by_s else None

    def _ruled(self, delivery: Delivery, answer: Answer | None) -> Ruling:
        if answer is None:
            return attrs.evolve(BACK, delay_ms=round(_BACK_MS * (1 + JITTER * self.chance())))
        return ruling(delivery, answer, self.chance())

    async def _settle(self, delivery: Delivery, answer: Answer | None, lease: Lease) -> None:
        ruled = self._ruled(delivery, answer)
        while True:
            try:
                told = await self.store.settle(delivery, ruled.settlement, reason=ruled.reason, delay_ms=ruled.delay_ms)
            except StoreUnavailable:
                if asyncio.get_running_loop().time() + _RETRY_S >= lease.ends_s:
                    _tell_unsettled(delivery)
                    return
            else:
                # Where the lease was lost, whoever has it now will tell.
                if told:
                    _tell_of(delivery, ruled)
                return
            await asyncio.sleep(_RETRY_S)

    async def _give_back(self, delivery: Delivery) -> None:
        with contextlib.suppress(StoreUnavailable, TimeoutError):
            async with asyncio.timeout(_GIVE_BACK_S):
                await self.store.settle(delivery, Settlement.BACK)


def tell_of_crash(error: BaseException, receiver: ReceiverName, delivery: Delivery | None = None) -> None:
    """Log a fault of ours that cost a receiver a try, or this delivery."""
    what, extra = f"what is for {receiver}", {"event": "delivery.crashed", "receiver": receiver}
    if delivery is not None:
        what, extra["job_id"] = delivery.event_id, delivery.job_id
    log.error("telling %s crashed: %r; it is tried again", what, error, exc_info=error, extra=extra)


def _tell_unsettled(delivery: Delivery) -> None:
    extra = {"event": "delivery.unsettled", "receiver": delivery.receiver, "job_id": delivery.job_id}
    log.info("Redis was not told what became of %s: it is told again", delivery.event_id, extra=extra)


def _tell_of(delivery: Delivery, ruled: Ruling) -> None:
    extra = {"receiver": delivery.receiver, "job_id": delivery.job_id, "seq": delivery.seq, "reason": ruled.reason}
    name, to, tries = delivery.event_id, delivery.receiver, delivery.tries + 1
    match ruled.settlement:
        case Settlement.TAKEN:
            log.debug("%s took %s", to, name, extra=extra | {"event": "delivery.taken"})
        case Settlement.ENDED if delivery.kind.terminal:
            text = "%s cannot be delivered to %s: %s, after %d tries"
            log.warning(text, name, to, ruled.reason, tries, extra=extra | {"event": "delivery.undeliverable"})
        case Settlement.AGAIN | Settlement.ENDED:
            text = "%s was not taken by %s: %s; try %d"
            told = extra | {"event": "delivery.failed", "tries": tries, "delay_ms": ruled.delay_ms}
            log.info(text, name, to, ruled.reason, tries, extra=told)
        case Settlement.GONE:
            log.warning("%s wants nothing more", to, extra=extra | {"event": "receiver.gone"})
        case Settlement.BACK:
            pass
