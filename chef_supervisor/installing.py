"""How a job gets its dependencies: those that are there already, or an install, whose result is kept for others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import attrs

from chef_supervisor.dependencies.cache import DependencyCache, Entry, Installed
from chef_supervisor.dependencies.key import Recipe
from chef_supervisor.dependencies.lock_files import LockFiles
from chef_supervisor.dependencies.scripts import Scripts
from chef_supervisor.dependencies.scrubbing import scrubbed, without_key
from chef_supervisor.domain.errors import DependenciesRefused
from chef_supervisor.domain.files import ProjectFiles
from chef_supervisor.domain.job import Claim
from chef_supervisor.domain.work import BoxEnded, BoxEvent, EndedBy, Work
from chef_supervisor.engine.environment import secret_variables
from chef_supervisor.engine.install import InstallPlan, at
from chef_supervisor.engine.record import Record
from chef_supervisor.sandboxes.sandbox import BoxOrder, Dependencies, Limits, Role
from chef_supervisor.sandboxes.watched import WatchedSandbox
from chef_supervisor.sealing import Scrubber, Sealer

# Given a work and what its box says of it; the paths in the work are those that are told.
Tell = Callable[[Work, AsyncIterator[BoxEvent]], Awaitable[None]]
_DEPS: Final = "/deps"
_BOX_NAMES: Final = {Role.INSTALL: "chef-install", Role.SCRIPTS: "chef-scripts"}


class DependenciesGone(Exception):
    """A box did not find what it needs: removed by hand, or with its volume. Caught by whoever started the box."""


@attrs.frozen(kw_only=True)
class Ready:
    """Dependencies that are there, and what a box of the job's is started with to see them."""

    entry: Entry
    dependencies: Dependencies

    def work(self, planned: Work) -> Work:
        """Returns: the work for the place where the box sees them, not to be begun without them."""
        place = f"{_DEPS}/{self.entry.key}"
        return attrs.evolve(at(planned, place), needs=place)

    async def heard(self, events: AsyncIterator[BoxEvent]) -> AsyncIterator[BoxEvent]:
        """
        Yield what that box says, without the name of the place.

        Raises:
            DependenciesGone: they are not there; nothing was begun.
        """
        first = True
        async for event in without_key(events, self.entry.key):
            if first and isinstance(event, BoxEnded) and event.ended_by is EndedBy.DEPENDENCIES_GONE:
                raise DependenciesGone
            first = False
            yield event


@attrs.frozen(kw_only=True)
class Installer:
    """
    What all jobs of a process share to install.

    Attributes:
        limits: of the boxes that install. `most_bytes`: what one install may write.
        trust_files: certificates, below the root of an install. `trust_env`: what tells tools of them.
    """

    sandbox: WatchedSandbox
    cache: DependencyCache
    sealer: Sealer
    limits: Limits
    most_bytes: int
    trust_files: ProjectFiles = attrs.field(factory=dict)
    trust_env: Mapping[str, str] = attrs.field(factory=dict)
    lock_files: LockFiles = attrs.field(factory=LockFiles)

    async def key_of(self, claim: Claim, install: InstallPlan, sealed: bytes) -> str:
        """
        Returns: what stands for the install in other keys.

        Raises:
            SecretsUnreadable: the secrets were sealed with another key.
            SandboxUnavailable: the store of dependencies cannot be reached.
        """
        return await self.cache.base_key(await self._recipe(claim, install, self.sealer.open(sealed)))

    @asynccontextmanager
    async def ready(
        self, claim: Claim, install: InstallPlan, sealed: bytes, record: Record, tell: Tell
    ) -> AsyncIterator[Ready | None]:
        """
        Have the dependencies there while the context lasts: installed by whoever was first, or now.

        `sealed`: the job's secrets. `tell` is given all that the install says, without them.

        Yields: None where the install failed, or what it made cannot be kept; the record says so.

        Raises:
            SecretsUnreadable: the secrets were sealed with another key.
            SandboxUnavailable: the infrastructure failed, and not the install.
        """
        secrets = self.sealer.open(sealed)
        one = _Install(installer=self, claim=claim, plan=install, secrets=secrets, record=record, tell=tell)
        async with AsyncExitStack() as stack:
            try:
                entries = self.cache.entry(await self._recipe(claim, install, secrets), one.made)
                entry = await stack.enter_async_context(entries)
            except DependenciesRefused as refused:
                text = str(refused)
                record.refusal, entry = f"{text[0].upper()}{text[1:]}.", None
            yield await self._used(entry, one) if entry is not None else None

    def trusting(self, work: Work, root: str) -> Work:
        """Returns: the work, whose files lie below `root`, with the certificates that tools are to trust."""
        trust = {name: value.replace("{deps}", root) for name, value in self.trust_env.items()}
        return attrs.evolve(work, files={**work.files, **self.trust_files}, env={**work.env, **trust})

    def forget(self, ready: Ready) -> None:
        """A box did not find them."""
        self.cache.forget(ready.entry)

    async def _used(self, entry: Entry, one: _Install) -> Ready:
        if entry.hit:
            one.record.reuse_install()
            await one.tell(at(one.plan.work, _DEPS), self.lock_files.again(entry.key))
        one.record.notes = entry.notes
        return Ready(entry=entry, dependencies=self.sandbox.shelf.entry(entry.key))

    async def _recipe(self, claim: Claim, install: InstallPlan, secrets: Mapping[str, str]) -> Recipe:
        works = (install.work, *((install.offline,) if install.offline is not None else ()))
        identity = await self.sandbox.shelf.identity()
        return Recipe(identity=identity, works=works, locked=install.locked, tenant=claim.tenant, secrets=secrets)


@attrs.frozen(kw_only=True)
class _Install:
    """One job's install, which may never be asked for."""

    installer: Installer
    claim: Claim
    plan: InstallPlan
    secrets: Mapping[str, str] = attrs.field(repr=False)
    record: Record
    tell: Tell

    @asynccontextmanager
    async def made(self, key: str) -> AsyncIterator[Installed | None]:
        """Yields: what was installed, in a place that is gone when the context is left; None where it failed."""
        self.record.begin_install()
        place = self.installer.sandbox.dependencies(f"{self.claim.job_id}-{self.claim.run.number}", self.claim.run)
        async with place as staging:
            await self._fetch(staging, key)
            if self.record.install_failed or self.record.current is self.record.install:
                yield None
            else:
                yield Installed(staging=staging, notes=await self._run_scripts(staging, key))

    async def _fetch(self, staging: Dependencies, key: str) -> None:
        """With network and secrets, and without any code of the project or of what it depends on."""
        place = f"{_DEPS}/{key}"
        work = self._bounded(self.installer.trusting(self._with_secrets(at(self.plan.work, place)), place))
        async with self.installer.sandbox.box(self._order(Role.INSTALL), staging) as box:
            events = self._without_secrets(without_key(box.run(work), key))
            await self.tell(at(self.plan.work, _DEPS), self.installer.lock_files.keeping(key, events))

    async def _run_scripts(self, staging: Dependencies, key: str) -> tuple[str, ...]:
        """Without network and secrets: this is code of strangers. Returns: what every user of theirs is told."""
        if self.plan.offline is None:
            return ()
        work = self._bounded(at(self.plan.offline, f"{_DEPS}/{key}"))
        scripts = Scripts(work)
        async with self.installer.sandbox.box(self._order(Role.SCRIPTS), staging) as box:
            # They may come upon what a package manager wrote down.
            async for event in self._without_secrets(without_key(box.run(work), key)):
                scripts.take(event)
        return scripts.notes()

    def _without_secrets(self, events: AsyncIterator[BoxEvent]) -> AsyncIterator[BoxEvent]:
        return scrubbed(events, Scrubber(self.secrets.values())) if self.secrets else events

    def _order(self, role: Role) -> BoxOrder:
        return BoxOrder(
            name=f"{_BOX_NAMES[role]}-{self.claim.job_id}-{self.claim.run.number}",
            role=role,
            limits=self.installer.limits,
            labels={"chef.job": self.claim.job_id, "chef.run": str(self.claim.run.number)},
        )

    def _bounded(self, work: Work) -> Work:
        return attrs.evolve(work, most_disk_bytes=self.installer.most_bytes)

    def _with_secrets(self, work: Work) -> Work:
        # What the toolchain sets is not the job's to change.
        return attrs.evolve(work, env={**secret_variables(self.secrets), **work.env})
