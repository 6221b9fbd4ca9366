"""A project cannot read, list, guess or change another key's dependencies, and its install cannot reach them either."""

from __future__ import annotations

import hashlib
from pathlib import Path

import attrs
import pytest

from chef_supervisor.domain.outcome import Cause, Outcome, Result
from chef_supervisor.domain.shelf import Bounds
from chef_supervisor.domain.toolchain import Toolchain
from chef_supervisor.domain.work import Work
from chef_supervisor.sandboxes.sandbox import Role, Sandbox
from chef_supervisor.workshop import Workshop
from tests.integration.dependencies.conftest import MakeSandbox
from tests.integration.sandboxes.boxes import Heard, run, shell, work
from tests.kit.performing import perform
from tests.kit.shell_toolchain import QUIET, claim_of, make_workshop, project, shell_toolchain

pytestmark = pytest.mark.asyncio
OURS, THEIRS = "a" * 40, "b" * 40
MARKER = "only-for-who-installed-it"
BOUNDS = Bounds(max_bytes=1 << 20)
# All that a box may try to find what lies beside its own dependencies. It ends with what there is, or with nothing.
LOOK_AROUND = f"""
ls -a /deps; find /deps /proc/1/root/deps -maxdepth 2; echo /deps/* /deps/.*; cat /deps/.index/*
ls -a /deps/.index /deps/.incoming* /deps/.outgoing*; cd /deps && ls; ls -a /proc/self/cwd/
python3 -I -c 'import os; print(os.listdir(os.open("/deps", os.O_RDONLY)))'
cat /proc/self/mountinfo /proc/mounts /proc/self/maps /proc/1/environ /proc/1/cmdline
base64 /deps/.secret; base64 /store/.secret; grep -rs {MARKER} /deps /store /proc/1/root/deps
"""


async def put(sandbox: Sandbox, key: str, content: str) -> None:
    made = attrs.evolve(work(shell(f"echo {content} > file")), root=f"/deps/{key}")
    async with sandbox.dependencies(f"of-{key[:4]}-{id(sandbox)}") as staging:
        await run(sandbox, made, role=Role.SCRIPTS, dependencies=staging)
        await sandbox.shelf.put(staging, key, bounds=BOUNDS, lifetime_s=None, notes=())


async def use(sandbox: Sandbox, script: str, key: str | None = OURS) -> Heard:
    # Whatever fails in it goes on; what matters is what is found.
    return await run(sandbox, work(shell(script)), dependencies=sandbox.shelf.entry(key) if key else None)


@pytest.fixture
def sandbox(make_sandbox: MakeSandbox) -> Sandbox:
    return make_sandbox()


@pytest.mark.parametrize("key", [OURS, None], ids=["with dependencies", "without"])
async def test_a_job_finds_nothing_but_its_own_dependencies(sandbox: Sandbox, key: str | None) -> None:
    await put(sandbox, OURS, "ours")
    await put(sandbox, THEIRS, MARKER)
    inventory = await sandbox.shelf.look({})

    heard = await use(sandbox, LOOK_AROUND, key)

    assert inventory.stored.keys() == {OURS, THEIRS}
    printed = heard.output()
    assert THEIRS.encode() not in printed
    assert b"\n" + MARKER.encode() not in printed
    assert f"file:{MARKER}".encode() not in printed
    assert inventory.secret.hex().encode() not in printed


async def test_a_job_changes_neither_its_own_dependencies_nor_anything_beside_them(sandbox: Sandbox) -> None:
    await put(sandbox, OURS, "ours")
    await put(sandbox, THEIRS, "theirs")
    before = await sandbox.shelf.look({})

    await use(
        sandbox,
        f"""
        for key in {OURS} {THEIRS}; do
            echo wrong > /deps/$key/file; rm -rf /deps/$key; mv /deps/$key /deps/moved; chmod -R 777 /deps/$key
            ln -sf /etc/passwd /deps/$key/file; mkdir -p /deps/$key/new
        done
        mkdir /deps/{"c" * 40}; rm -rf /deps/.index /deps/.secret /deps/.lock; chmod 777 /deps; mount -o remount,rw /deps
        """,
    )

    for key, content in ((OURS, b"ours\n"), (THEIRS, b"theirs\n")):
        assert (await use(sandbox, f"ls /deps/{key}; cat /deps/{key}/file", key)).output() == b"file\n" + content
    after = await sandbox.shelf.look({})
    assert (after.stored, after.secret) == (before.stored, before.secret)


@pytest.mark.parametrize("role", [Role.INSTALL, Role.SCRIPTS])
async def test_what_is_run_to_install_reaches_no_entry_and_not_the_store(sandbox: Sandbox, role: Role) -> None:
    await put(sandbox, THEIRS, MARKER)
    before = await sandbox.shelf.look({})
    reach = f"{LOOK_AROUND}\ncat /deps/{THEIRS}/file /store/{THEIRS}/file; echo; ls -a /deps"
    what: Work = attrs.evolve(work(shell(reach)), root=f"/deps/{OURS}")

    async with sandbox.dependencies(f"reach-{id(what)}") as staging:
        heard = await run(sandbox, what, role=role, dependencies=staging)

    assert heard.output().splitlines()[-3:] == [b".", b"..", OURS.encode()]
    assert b"\n" + MARKER.encode() not in heard.output()
    assert before.secret.hex().encode() not in heard.output()
    assert (await sandbox.shelf.look({})).stored == before.stored


async def test_what_an_install_left_for_another_key_is_not_taken(sandbox: Sandbox) -> None:
    await put(sandbox, THEIRS, "theirs")
    plants = (
        f"mkdir ../{THEIRS} ../{'c' * 40} ../.index; echo wrong > ../{THEIRS}/file; ln -s ../{THEIRS} link; echo > file"
    )

    async with sandbox.dependencies(f"plants-{id(plants)}") as staging:
        what = attrs.evolve(work(shell(plants)), root=f"/deps/{OURS}")
        await run(sandbox, what, role=Role.SCRIPTS, dependencies=staging)
        inventory = await sandbox.shelf.put(staging, OURS, bounds=BOUNDS, lifetime_s=None, notes=())

    assert inventory.stored.keys() == {OURS, THEIRS}
    assert (await use(sandbox, f"cat /deps/{THEIRS}/file", THEIRS)).output() == b"theirs\n"


@pytest.fixture
def toolchains(tmp_path: Path) -> tuple[Toolchain, ...]:
    return shell_toolchain(tmp_path / "toolchains")


@pytest.fixture
def workshop(sandbox: Sandbox, toolchains: tuple[Toolchain, ...]) -> Workshop:
    return make_workshop(sandbox, toolchains)


class Submits:
    """Jobs of one project by different tenants, each with a token of its own or with none."""

    def __init__(self, workshop: Workshop, files: dict[str, bytes]) -> None:
        self._workshop = workshop
        self._files = files
        self._number = 0

    async def job(self, tenant: str, token: str | None) -> Result:
        self._number += 1
        sealed = self._workshop.installer.sealer.seal({"TOKEN": token}) if token else b""
        outcome = await perform(
            self._workshop, claim_of(self._files, self._number, tenant=tenant, sealed=sealed), QUIET
        )
        assert isinstance(outcome, Outcome), outcome
        return outcome.result


async def test_a_tenant_without_the_token_does_not_get_what_a_token_installed(workshop: Workshop) -> None:
    made = 'test "$TOKEN" = right-token && cat /proc/sys/kernel/random/uuid > made'
    submits = Submits(workshop, project(install=made, build='cat "$DEPS/made"'))

    rich = await submits.job("rich", "right-token")
    refused = [
        await submits.job(tenant, token) for tenant, token in (("poor", None), ("poor", "wrong-token"), ("rich", None))
    ]
    other = await submits.job("other", "right-token")
    again = await submits.job("rich", "right-token")

    assert [result.cause for result in refused] == [Cause.INSTALL_FAILED] * 3
    assert again.output.head == rich.output.head
    assert other.cause is None
    assert other.output.head != rich.output.head


async def test_a_token_reaches_the_install_with_network_and_nothing_else(workshop: Workshop) -> None:
    files = project(
        install='test "$(printf %s "$TOKEN" | sha256sum | cut -c 1-12)" = "$(cat lock)"',
        scripts="env > env-of-scripts",
        build="env; cat $DEPS/env-of-scripts; cat /proc/*/environ | tr '\\0' '\\n'; grep -rs right-tok[e]n /deps /workspace /tmp && exit 9; exit 0",
        lock=hashlib.sha256(b"right-token").hexdigest()[:12],
    )

    result = await Submits(workshop, files).job("rich", "right-token")

    assert result.cause is None, result
    assert "right-token" not in str(result)
    printed = result.output.head + result.output.tail
    assert "TOKEN=" not in printed
    assert printed.count("DEPS=") >= 2
