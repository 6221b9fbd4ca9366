"""Where installed dependencies are kept: what stands there, and the protocol that each sandbox serves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import attrs

# A key in hexadecimal: 160 bits, so that a name below `/deps` cannot be guessed.
KEY_CHARS = 40


@attrs.frozen(kw_only=True)
class Stored:
    """
    One entry. Times are seconds since the epoch, on the clock of the machine that holds it.

    `bytes`: what it takes on the disk. `expires_s`: None = never. `notes`: sentences for every job that uses it.
    """

    bytes: int
    made_s: float
    used_s: float
    expires_s: float | None = None
    notes: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Inventory:
    """All that is kept, by key. `secret` makes the keys; `now_s` is what the clock of that machine says."""

    secret: bytes = attrs.field(repr=False)
    now_s: float
    stored: Mapping[str, Stored]


@attrs.frozen(kw_only=True)
class Bounds:
    """What one entry may be at most."""

    max_bytes: int
    max_files: int = 500_000


class Shelf(Protocol):
    """
    Keeps entries for one engine, or one state folder. Several supervisors may use the same at a time.

    `used` tells when this process last used entries, by key, in the clock of the shelf: what was used least recently
    is known over restarts, and to others.
    """

    async def identity(self) -> str:
        """
        Returns: what boxes are made of, such as the image's id: dependencies for one are not right for another.

        Raises:
            SandboxUnavailable: nobody can tell now.
        """

    async def look(self, used: Mapping[str, float]) -> Inventory:
        """
        Returns: all that is kept now, by whomever.

        Raises:
            SandboxUnavailable: the shelf cannot be reached.
        """

    async def put(
        self, staging: object, key: str, *, bounds: Bounds, lifetime_s: float | None, notes: tuple[str, ...]
    ) -> Inventory:
        """
        Copy `/deps/<key>` of a staging place here, so that nobody can change it any more. Where the key is there
        already, that one stays.

        Returns: all that is kept then.

        Raises:
            DependenciesRefused: it is too large, or has something in it that cannot be kept.
            SandboxUnavailable: the shelf cannot be reached.
        """

    async def drop(self, keys: tuple[str, ...], used: Mapping[str, float]) -> Inventory:
        """
        Remove entries, but none that a living box of any supervisor uses.

        Returns: all that is kept then.

        Raises:
            SandboxUnavailable: the shelf cannot be reached.
        """

    def entry(self, key: str) -> object:
        """Returns: the dependencies of that key, for a job's box."""
