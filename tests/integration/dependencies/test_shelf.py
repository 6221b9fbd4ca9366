"""What an install made is copied to where nobody can change it, and what could harm a reader is not."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import pytest

from chef_supervisor.domain.errors import DependenciesRefused
from chef_supervisor.domain.shelf import Bounds, Inventory
from chef_supervisor.domain.work import EndedBy, Work
from chef_supervisor.sandboxes.sandbox import Dependencies, Role, Sandbox
from tests.integration.dependencies.conftest import MakeSandbox
from tests.integration.sandboxes.boxes import Heard, order, run, shell, work

pytestmark = pytest.mark.asyncio

KEY, OTHER = "a" * 40, "b" * 40
BOUNDS = Bounds(max_bytes=16 << 20, max_files=100)


def at_key(script: str, key: str = KEY) -> Work:
    return attrs.evolve(work(shell(script)), root=f"/deps/{key}")


@asynccontextmanager
async def installed(sandbox: Sandbox, script: str, key: str = KEY) -> AsyncIterator[Dependencies]:
    async with sandbox.dependencies(uuid.uuid4().hex) as staging:
        heard = await run(sandbox, at_key(script, key), role=Role.SCRIPTS, dependencies=staging)
        assert heard.ended[0].exit_code == 0, heard.output()
        yield staging


async def put(sandbox: Sandbox, script: str, key: str = KEY, bounds: Bounds = BOUNDS) -> Inventory:
    async with installed(sandbox, script, key) as staging:
        return await sandbox.shelf.put(staging, key, bounds=bounds, lifetime_s=None, notes=("a note",))


async def use(sandbox: Sandbox, script: str, key: str = KEY) -> Heard:
    what = attrs.evolve(work(shell(script)), needs=f"/deps/{key}")
    return await run(sandbox, what, dependencies=sandbox.shelf.entry(key))


async def test_what_was_put_is_read_where_it_was_made(sandbox: Sandbox) -> None:
    inventory = await put(
        sandbox, "mkdir bin; echo 'echo I am at $0' > bin/tool; chmod +x bin/tool; ln -s bin/tool link"
    )

    heard = await use(sandbox, f"/deps/{KEY}/bin/tool; /deps/{KEY}/link")

    assert heard.output() == f"I am at /deps/{KEY}/bin/tool\nI am at /deps/{KEY}/link\n".encode()
    assert inventory.stored[KEY].notes == ("a note",)
    assert 0 < inventory.stored[KEY].bytes < 100_000


async def test_nothing_of_it_can_be_changed(sandbox: Sandbox) -> None:
    await put(sandbox, "mkdir open; echo right > open/file; chmod 777 open . ; chmod 666 open/file")

    heard = await use(
        sandbox,
        f"cd /deps/{KEY}; echo wrong > open/file; touch open/new; rm -rf open; chmod 777 open; mv open shut;"
        "find . -writable ! -type l; cat open/file",
    )

    assert heard.output().endswith(b"\nright\n")
    assert b"./open" not in heard.output().splitlines()


async def test_bits_that_give_rights_are_not_kept(sandbox: Sandbox) -> None:
    await put(sandbox, "cp /bin/true tool; chmod 6755 tool; mkdir d; chmod 3777 d")

    heard = await use(sandbox, f"cd /deps/{KEY}; stat -c '%a %F %n' tool d .")

    assert heard.output().splitlines() == [b"555 regular file tool", b"555 directory d", b"555 directory ."]


async def test_files_that_were_closed_to_all_but_the_install_are_open_to_readers(sandbox: Sandbox) -> None:
    await put(
        sandbox, "mkdir -p d/e; echo x > d/e/file; chmod 600 d/e/file; chmod 0 d/e/file; chmod 700 d/e; chmod 0 d/e d"
    )

    assert (await use(sandbox, f"cat /deps/{KEY}/d/e/file")).output() == b"x\n"


async def test_names_of_one_file_stay_one_file_and_links_are_not_followed(sandbox: Sandbox) -> None:
    inventory = await put(sandbox, "head -c 1000000 /dev/zero > a; ln a b; ln -s /etc/passwd c; ln -s /etc d")

    heard = await use(sandbox, f"cd /deps/{KEY}; stat -c %h a; readlink c d")

    assert heard.output().splitlines() == [b"2", b"/etc/passwd", b"/etc"]
    assert inventory.stored[KEY].bytes < 1_500_000


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("mkfifo deep-pipe", "'deep-pipe' is a device, a pipe or a socket"),
        ("truncate -s 200M sparse", "take more than 16777216 bytes"),
        ("cd ..; rmdir $OLDPWD; ln -s /etc $OLDPWD", "left no folder"),
    ],
    ids=["pipe", "sparse", "link"],
)
async def test_what_cannot_be_kept_is_refused_and_leaves_nothing(sandbox: Sandbox, script: str, why: str) -> None:
    with pytest.raises(DependenciesRefused, match=why):
        await put(sandbox, script)

    assert not (await sandbox.shelf.look({})).stored


async def test_another_supervisor_finds_what_one_has_put_under_the_same_keys(make_sandbox: MakeSandbox) -> None:
    first, second = make_sandbox(), make_sandbox()
    before = await second.shelf.look({})

    made = await put(first, "echo shared > file")

    after = await second.shelf.look({})
    assert before.secret == made.secret == after.secret
    assert len(made.secret) == 32
    assert (list(before.stored), list(after.stored)) == ([], [KEY])
    assert (await use(second, f"cat /deps/{KEY}/file")).output() == b"shared\n"


async def test_the_first_of_two_that_put_the_same_key_wins(make_sandbox: MakeSandbox) -> None:
    first, second = make_sandbox(), make_sandbox()
    async with installed(first, "echo first > file") as one, installed(second, "echo second > file") as two:
        await first.shelf.put(one, KEY, bounds=BOUNDS, lifetime_s=None, notes=())
        await second.shelf.put(two, KEY, bounds=BOUNDS, lifetime_s=None, notes=())

    assert (await use(second, f"cat /deps/{KEY}/file")).output() == b"first\n"


async def test_an_entry_goes_when_no_box_of_any_supervisor_uses_it(make_sandbox: MakeSandbox) -> None:
    first, second = make_sandbox(), make_sandbox()
    await put(first, "echo used > file")
    await put(first, "echo free > file", key=OTHER)

    async with first.box(order(), first.shelf.entry(KEY)) as box:
        while_used = await second.shelf.drop((KEY, OTHER), {})
        what = attrs.evolve(work(shell(f"cat /deps/{KEY}/file")), needs=f"/deps/{KEY}")
        heard = Heard([event async for event in box.run(what)])
    afterwards = await second.shelf.drop((KEY,), {})

    assert while_used.stored.keys() == {KEY}
    assert heard.output() == b"used\n"
    assert not afterwards.stored


async def test_a_box_whose_dependencies_are_gone_begins_nothing_and_says_so(sandbox: Sandbox) -> None:
    await put(sandbox, "echo there > file")
    await sandbox.shelf.drop((KEY,), {})

    heard = await use(sandbox, "echo begun")

    assert heard.end.ended_by is EndedBy.DEPENDENCIES_GONE
    assert (heard.started, heard.output()) == ([], b"")


async def test_when_an_entry_was_used_is_remembered(sandbox: Sandbox) -> None:
    made = await put(sandbox, "touch file")

    used = await sandbox.shelf.look({KEY: made.now_s + 1000, OTHER: made.now_s})
    earlier = await sandbox.shelf.look({KEY: made.now_s - 1000})

    assert used.stored[KEY].used_s == earlier.stored[KEY].used_s == pytest.approx(made.now_s + 1000)


async def test_an_install_that_writes_too_much_is_ended(sandbox: Sandbox) -> None:
    fills = attrs.evolve(at_key("while :; do head -c 4000000 /dev/zero >> file; done"), most_disk_bytes=8 << 20)
    async with sandbox.dependencies(uuid.uuid4().hex) as staging:
        heard = await run(sandbox, fills, role=Role.SCRIPTS, dependencies=staging)

    assert [ended.ended_by for ended in heard.ended] == [EndedBy.DISK_FULL]


async def test_scripts_of_dependencies_have_no_network(sandbox: Sandbox) -> None:
    async with installed(sandbox, "cat /proc/net/route /proc/net/dev > devices") as staging:
        heard = await run(sandbox, at_key("cat devices"), role=Role.SCRIPTS, dependencies=staging)

    interfaces = {line.split(b":")[0].strip() for line in heard.output().splitlines() if b":" in line}
    assert interfaces <= {b"lo", b"Inter-", b"face"}
