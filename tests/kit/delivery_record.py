"""Everything that the receivers of a test were sent, in the order in which it came."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Callable
from typing import Final

import attrs
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from tests.kit.hook_kit import secret_of
from tests.kit.raw_web import Received

TERMINAL: Final = frozenset({"job.completed", "job.failed", "job.timeout", "job.cancelled"})


@attrs.frozen(kw_only=True)
class Try:
    """
    One request. `told_at`: when the event happened, RFC 3339, by the machine's clock, which `at_s` is by as well, in
    seconds since the epoch. `number`: of how many of this event at this receiver it is, from 0. `answer`: the name of
    how it was answered; `taken`: whether that says that it was taken.
    """

    receiver: str
    target: str
    at_s: float
    event_id: str
    kind: str
    job_id: str
    seq: int
    told_at: str
    digest: str
    verified: bool
    number: int
    answer: str
    taken: bool

    @property
    def ends(self) -> bool:
        """Whether it tells that the job is over."""
        return self.kind in TERMINAL


@attrs.define(eq=False)
class Record:
    """Grows while receivers, which may be in another thread, take note; `wait_for` lets others wait for that."""

    tries: list[Try] = attrs.field(factory=list)
    # How many jobs each receiver knows to be over.
    ended: Counter[str] = attrs.field(factory=Counter)
    strays: list[str] = attrs.field(factory=list)
    _seen: Counter[tuple[str, str]] = attrs.field(factory=Counter)
    _grown: threading.Condition = attrs.field(factory=threading.Condition)

    def next_number(self, receiver: str, event_id: str) -> int:
        """Returns: how often this receiver was sent that event before."""
        return self._seen[receiver, event_id]

    def note(self, request: Received, receiver: str, at_s: float, answer: str, *, taken: bool) -> None:
        """Take note of a request and of how it will be answered."""
        told = json.loads(request.body)
        event_id = request.headers["webhook-id"]
        one = Try(
            receiver=receiver,
            target=request.target,
            at_s=at_s,
            event_id=event_id,
            kind=told["type"],
            job_id=told["data"]["jobId"],
            seq=told["data"]["seq"],
            told_at=told["timestamp"],
            digest=hashlib.sha256(request.body).hexdigest(),
            verified=self._verifies(request),
            number=self._seen[receiver, event_id],
            answer=answer,
            taken=taken,
        )
        with self._grown:
            self._seen[receiver, event_id] += 1
            self.tries.append(one)
            self.ended[receiver] += one.ends and one.number == 0
            self._grown.notify_all()

    def stray(self, what: str) -> None:
        """Take note of a request that nobody should have made."""
        self.strays.append(what)

    def wake(self) -> None:
        """Have whoever waits look again: something else came."""
        with self._grown:
            self._grown.notify_all()

    def wait_for(self, holds: Callable[[], bool], within_s: float) -> None:
        """Wait until that holds of what was noted; an error where it does not come to hold."""
        with self._grown:
            assert self._grown.wait_for(holds, within_s), f"not so after {within_s:g} s and {len(self.tries)} tries"

    def _verifies(self, request: Received) -> bool:
        try:
            host = request.headers["host"].partition(":")[0]
            Webhook(secret_of(host)).verify(request.body, dict(request.headers))
        except WebhookVerificationError:
            return False
        return True
