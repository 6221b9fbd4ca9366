"""The subscribers of a job as the one field of its hash that they are: a line each, which scripts can read."""

from __future__ import annotations

from collections.abc import Sequence

from chef_supervisor.domain.subscriber import ReceiverName, Subscriber


def encode(subscribers: Sequence[Subscriber]) -> str:
    """Returns: what `decode` takes, and `lua/lib/outbox.lua` reads: `<1 = progress too> <receiver> <url>` a line."""
    return "".join(f"{one.progress:d} {one.receiver} {one.url}\n" for one in subscribers)


def decode(stored: bytes | None) -> tuple[Subscriber, ...]:
    """
    Returns: the subscribers, in their order.

    Raises:
        ValueError: they are none.
    """
    return tuple(_subscriber(line) for line in (stored or b"").decode().splitlines())


def _subscriber(line: str) -> Subscriber:
    progress, receiver, url = line.split(" ")
    return Subscriber(receiver=ReceiverName(receiver), progress=progress == "1", url=url)
