"""
An event loop whose clock jumps to the next timer whenever every task waits: tests of hours take milliseconds, nothing
depends on the machine's speed, and a hang is an error. No threads, no sockets.
"""

from __future__ import annotations

import asyncio
import functools
import gc
import selectors
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

P = ParamSpec("P")
T = TypeVar("T")


class Deadlock(Exception):
    """Every task waits and no timer is armed: nothing can ever happen again."""


class _Jump(selectors.DefaultSelector):
    loop: VirtualTimeLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready: list[tuple[selectors.SelectorKey, int]] = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            raise Deadlock(self.loop.waiting())
        self.loop.now_s += max(timeout, 0)
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """
    Attributes:
        now_s: what `time()` says; starts at 0.
        complaints: what the loop's exception handler was called with; a test must leave none.
    """

    now_s = 0.0

    def __init__(self) -> None:
        selector = _Jump()
        selector.loop = self
        self.complaints: list[dict[str, Any]] = []
        super().__init__(selector)
        self.set_exception_handler(lambda _, context: self.complaints.append(context))

    def time(self) -> float:
        return self.now_s

    def waiting(self) -> str:
        """Returns: what waits, for the message of a Deadlock."""
        tasks = sorted(task.get_name() for task in asyncio.all_tasks(self))
        return f"at {self.now_s:g} s every task waits and no timer is armed: {', '.join(tasks)}"


async def settle() -> None:
    """Return when all others wait for time to pass or for each other; practically no time passes."""
    await asyncio.sleep(1e-6)


def now_s() -> float:
    """Returns: virtual seconds since the test began, without the crumbs that `settle` leaves."""
    return round(asyncio.get_running_loop().time(), 3)


def run(test: Coroutine[Any, Any, T], *, debug: bool = True) -> T:
    """
    Run `test` in virtual time. `debug` is asyncio's, and looks closer at what the test leaves; both cost time.

    Raises:
        Deadlock: the test hangs.
        AssertionError: it left a task behind, or asyncio complained, say of an exception that nobody looked at.
    """

    async def tidy() -> T:
        value = await test
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, f"tasks left behind: {left}"
        return value

    with asyncio.Runner(loop_factory=VirtualTimeLoop, debug=debug) as runner:
        value = runner.run(tidy())
        loop = runner.get_loop()
        assert isinstance(loop, VirtualTimeLoop)
        if debug:
            # An error that nobody looked at is told of when its future is collected.
            gc.collect(1)
        assert not loop.complaints, loop.complaints
    return value


def virtual(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Make an ordinary test function of an `async` one that runs in virtual time."""

    @functools.wraps(test)
    def in_virtual_time(*args: P.args, **kwargs: P.kwargs) -> None:
        run(test(*args, **kwargs))

    return in_virtual_time
