"""
The command line of one box.

An ordinary user needs one bubblewrap. Root needs two: root's own user id must not be the one in the box (files of the
system would be its own, even without capabilities), and another user cannot reach what lies below root's home. So the
first bubblewrap, as root, puts everything in place; then the user id changes; the second one makes the box.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from typing import Final

import attrs

from chef_supervisor.sandboxes.bubblewrap import layout
from chef_supervisor.sandboxes.bubblewrap.layout import Shown
from chef_supervisor.sandboxes.bubblewrap.tools import Tools
from chef_supervisor.sandboxes.inside import AGENT_AT, BOX_UID, ENVIRONMENT, SMALL_TMPFS_BYTES
from chef_supervisor.sandboxes.sandbox import Limits

_BWRAP_AT: Final = "/opt/chef/bwrap"
_WALLS: Final = (
    *("--unshare-all", "--unshare-user", "--disable-userns", "--uid", str(BOX_UID), "--gid", str(BOX_UID)),
    *("--die-with-parent", "--new-session", "--clearenv", "--cap-drop", "ALL", "--as-pid-1", "--hostname", "box"),
)
_CHANGE_USER: Final = (
    "import os, sys; os.setgroups([]); os.setgid({uid}); os.setuid({uid}); os.execv(sys.argv[1], sys.argv[1:])"
)


@attrs.frozen(kw_only=True)
class Command:
    """
    Everything that makes the command line.

    `texts`: (descriptor, path in the box) of our own small files. `info`: the descriptor that is told the process id.
    `seccomp`: the descriptor of the filter of system calls, where there is one.
    """

    tools: Tools
    shown: Sequence[Shown]
    texts: Sequence[tuple[int, str]]
    info: int
    seccomp: int | None
    limits: Limits
    network: bool
    as_root: bool

    def argv(self) -> list[str]:
        """Returns: the command line."""
        texts = [part for fd, at in self.texts for part in ("--perms", "0555", "--file", str(fd), at)]
        if not self.as_root:
            return [str(self.tools.bwrap), *self._box([*layout.show_args(self.shown), *texts])]
        bwrap = f"{_BWRAP_AT}/{self.tools.bwrap.relative_to(self.tools.bwrap_parts[0].parent)}"
        parts = [Shown(str(part), f"{_BWRAP_AT}/{part.name}") for part in self.tools.bwrap_parts]
        stage = [
            *("--die-with-parent", "--perms", "1777", "--dir", "/tmp"),  # noqa: S108  (in a root folder of its own)
            *layout.show_args([*self.shown, *parts]),
            *texts,
            *("--bind", "/proc", "/proc", "--dev-bind", "/dev", "/dev", "--"),
        ]
        placed = [part for _, at in self.texts for part in ("--ro-bind", at, at)]
        inner = self._box([*layout.show_args(layout.again(self.shown)), *placed])
        return [str(self.tools.bwrap), *stage, *self._change_user(), bwrap, *inner]

    def _change_user(self) -> list[str]:
        if shutil.which("setpriv", path="/usr/bin:/bin"):
            return ["/usr/bin/setpriv", f"--reuid={BOX_UID}", f"--regid={BOX_UID}", "--clear-groups", "--"]
        return [self.tools.python, "-I", "-S", "-c", _CHANGE_USER.format(uid=BOX_UID)]

    def _box(self, files: Sequence[str]) -> list[str]:
        workspace, small = str(self.limits.workspace_bytes), str(SMALL_TMPFS_BYTES)
        return [
            *_WALLS,
            *(["--share-net"] if self.network else []),
            *files,
            *("--proc", "/proc", "--dev", "/dev"),
            *("--size", small, "--perms", "1777", "--tmpfs", "/dev/shm"),  # noqa: S108
            *("--size", small, "--perms", "1777", "--tmpfs", "/tmp"),  # noqa: S108
            *("--size", workspace, "--perms", "0700", "--tmpfs", "/workspace", "--chdir", "/workspace"),
            *("--remount-ro", "/dev", "--remount-ro", "/"),
            *self._environment(),
            *(["--seccomp", str(self.seccomp)] if self.seccomp is not None else []),
            *("--info-fd", str(self.info), "--", self.tools.python, "-I", AGENT_AT),
        ]

    def _environment(self) -> list[str]:
        environment = {"PATH": self.tools.path, **ENVIRONMENT}
        return [part for name, value in environment.items() for part in ("--setenv", name, value)]


def runs_as_root() -> bool:
    """Returns: whether this process is root."""
    return os.geteuid() == 0
