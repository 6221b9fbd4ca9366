"""Installed dependencies in one volume of an engine, which every box of a job sees, and only the keeper writes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import attrs
import docker

from chef_supervisor.domain.errors import DependenciesRefused
from chef_supervisor.domain.shelf import Bounds, Inventory
from chef_supervisor.sandboxes.docker import lifecycle
from chef_supervisor.sandboxes.docker.box_names import read_taken
from chef_supervisor.sandboxes.docker.container import DEPENDENCIES_LABEL, ROLE_LABEL
from chef_supervisor.sandboxes.docker.keeper import Keeper, Request
from chef_supervisor.sandboxes.docker.mounts import StagingVolume, StoredVolume
from chef_supervisor.sandboxes.kept import inventory_of
from chef_supervisor.sandboxes.sandbox import Role


@attrs.define(eq=False)
class DockerShelf:
    """See `domain.shelf.Shelf`."""

    _keeper: Keeper
    # The id of the runner image; whoever asks the engine for it anyway writes it here.
    image: str = attrs.field(default="", init=False)
    # Whether the store is as it must be: a box may only see it then.
    opened: bool = attrs.field(default=False, init=False)

    async def identity(self) -> str:
        """Returns: the id of the runner image, as of the last time the engine was asked."""
        if not self.image:
            name = self._keeper.config.image
            require = partial(lifecycle.require_image, image=name)
            self.image = await self._keeper.engine.ask(require, f"use the runner image {name}")
        return f"docker {self.image}"

    async def look(self, used: Mapping[str, float]) -> Inventory:
        """Returns: all that is kept."""
        return await self._ask({"do": "look", "used": dict(used)})

    async def put(
        self, staging: object, key: str, *, bounds: Bounds, lifetime_s: float | None, notes: tuple[str, ...]
    ) -> Inventory:
        """Copy it from a staging volume."""
        assert isinstance(staging, StagingVolume)  # noqa: S101  (of another sandbox: a bug)
        of_entry = {"key": key, "lifetime_s": lifetime_s, "notes": list(notes)}
        return await self._ask({"do": "put", "used": {}, **of_entry, **attrs.asdict(bounds)}, staging.name)

    async def drop(self, keys: tuple[str, ...], used: Mapping[str, float]) -> Inventory:
        """Remove entries that no container of ours, of whatever supervisor, is labelled with."""

        async def request() -> Request:
            in_use = await self._keeper.engine.ask(_keys_in_use, "ask which dependencies are in use")
            return {"do": "drop", "keys": [key for key in keys if key not in in_use], "used": dict(used)}

        return self._opened(await self._keeper.ask(request))

    def entry(self, key: str) -> StoredVolume:
        """Returns: what a box of a job is given."""
        return StoredVolume(self._keeper.config.volume, key)

    async def _ask(self, request: Request, staging: str | None = None) -> Inventory:
        async def give() -> Request:
            return request

        return self._opened(await self._keeper.ask(give, staging))

    def _opened(self, answer: dict[str, Any]) -> Inventory:
        inventory = inventory_of(answer)
        self.opened = True
        if refused := answer.get("refused"):
            raise DependenciesRefused(refused)
        return inventory


def _keys_in_use(client: docker.APIClient) -> set[str]:
    labelled = client.containers(all=True, filters={"label": DEPENDENCIES_LABEL})
    # Started before it was known what for.
    warm = client.containers(all=True, filters={"label": f"{ROLE_LABEL}={Role.WARM}"})
    taken = [read_taken(name.removeprefix("/")) for found in warm for name in found["Names"] or ()]
    return {found["Labels"][DEPENDENCIES_LABEL] for found in labelled} | {one.key for one in taken if one is not None}
