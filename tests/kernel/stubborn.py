"""Actors that will not go: they eat their cancellation."""

from __future__ import annotations

import asyncio

from chef_supervisor.kernel import Actor
from tests.kernel.world import Boom


class Stubborn(Actor[object]):
    """Eats its cancellation, until `release` is set; the test must set it, or it outlives the loop."""

    def __init__(self, release: asyncio.Event) -> None:
        self.release = release

    async def on_stop(self) -> None:
        await _insist(self.release)


class StubbornHelper(Actor[object]):
    """Has a helper that eats its cancellation."""

    def __init__(self, release: asyncio.Event) -> None:
        self.release = release

    async def on_start(self) -> None:
        self.ctx.spawn(_insist(self.release), name="stubborn")

    async def receive(self, message: object) -> None:
        raise Boom


async def _insist(release: asyncio.Event) -> None:
    while not release.is_set():
        try:
            await release.wait()
        except asyncio.CancelledError:
            continue
