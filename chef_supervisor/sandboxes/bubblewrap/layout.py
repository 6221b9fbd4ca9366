"""What a box sees of this machine, as bubblewrap arguments. What is not named here does not exist in the box."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import attrs

from chef_supervisor.sandboxes import agent
from chef_supervisor.sandboxes.bubblewrap.tools import Tools
from chef_supervisor.sandboxes.inside import AGENT_AT, BOX_UID, WORKSPACE

_AGENT_FROM: Final = Path(agent.__file__).parent
_LINKS: Final = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
# The linker's cache, and where Debian keeps which of several programs is meant.
_ETC: Final = ("ld.so.cache", "alternatives")
# Names and certificates; without network they would only tell about this machine.
_ETC_NETWORK: Final = ("resolv.conf", "ssl", "pki", "ca-certificates", "crypto-policies", "gai.conf")
_TEXTS: Final = {
    "/etc/passwd": f"root:x:0:0:root:/:/bin/false\nchef:x:{BOX_UID}:{BOX_UID}:chef:{WORKSPACE}:/bin/sh\n",
    "/etc/group": f"root:x:0:\nchef:x:{BOX_UID}:\n",
    "/etc/hosts": "127.0.0.1 localhost box\n::1 localhost\n",
    "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}


@attrs.frozen
class Shown:
    """One folder or file of this machine in the box."""

    source: str
    at: str
    writable: bool = False

    def args(self) -> tuple[str, ...]:
        """Returns: the arguments that show it."""
        return ("--bind" if self.writable else "--ro-bind", self.source, self.at)


def shown_to(tools: Tools, *, network: bool, dependencies: Shown | None) -> list[Shown]:
    """Returns: everything of this machine that the box sees, parents before what is inside them."""
    etc = _ETC + _ETC_NETWORK if network else _ETC
    found = [Shown(os.path.realpath(f"/etc/{name}"), f"/etc/{name}") for name in etc if Path("/etc", name).exists()]
    return [
        Shown("/usr", "/usr"),
        *found,
        Shown(str(_AGENT_FROM), AGENT_AT),
        *(Shown(str(source), at) for source, at in tools.shown),
        *([dependencies] if dependencies else []),
    ]


def show_args(shown: Iterable[Shown]) -> list[str]:
    """Returns: the arguments that make a root folder of these, and of nothing else."""
    shown = list(shown)
    args = [part for folder in _parents(shown) for part in ("--perms", "0755", "--dir", folder)]
    args += [part for one in shown for part in one.args()]
    return args + list(_root_links())


def again(shown: Iterable[Shown]) -> list[Shown]:
    """Returns: the same, seen from inside a root folder where they are already in place."""
    return [Shown(one.at, one.at, one.writable) for one in shown]


def texts(tools: Tools) -> list[tuple[str, bytes]]:
    """Returns: files of our own, in place of the ones that tell about this machine, and small programs."""
    return [(path, text.encode()) for path, text in (*_TEXTS.items(), *tools.scripts.items())]


def _parents(shown: Iterable[Shown]) -> list[str]:
    # bubblewrap would make missing ones itself, but closed to the user of the box.
    parents = {str(parent) for one in shown for parent in Path(one.at).parents}
    return sorted((parents | {"/etc"}) - {"/", "/usr"})


def _root_links() -> Iterator[str]:
    """Yields: `/bin` and its like as they are here: links into `/usr`, or folders of their own."""
    for name in _LINKS:
        path = Path("/", name)
        if path.is_symlink():
            yield from ("--symlink", os.path.relpath(path.resolve(), "/"), str(path))
        elif path.is_dir():
            yield from ("--ro-bind", str(path), str(path))
