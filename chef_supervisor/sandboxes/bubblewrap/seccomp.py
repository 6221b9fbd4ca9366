"""
A filter of system calls for boxes of bubblewrap, which has none of its own.

It refuses what no build or test needs and what reaches past namespaces: mounting, further namespaces, kernel keys, BPF,
io_uring, perf, modules, and every family of sockets but local ones and IP (AF_VSOCK would reach a hypervisor).
Memory that belongs to no process and no folder is not there at all: nobody could count it.
Source: Docker's default profile, for the choice; linux/seccomp.h and linux/filter.h for the layout.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Mapping
from typing import Final

import attrs


@attrs.frozen(kw_only=True)
class Machine:
    """What differs between machines: its AUDIT_ARCH, and the numbers of calls."""

    audit: int
    clone: int
    socket: int
    refused: tuple[int, ...]
    # memfd_create, shmget: what they hold stands neither in a process nor in a tmpfs, where the watch looks.
    uncounted: tuple[int, ...]


# io_uring_*, open_tree, move_mount, fsopen, fsconfig, fsmount, fspick, mount_setattr: the same everywhere.
_REFUSED_EVERYWHERE: Final = (425, 426, 427, 428, 429, 430, 431, 432, 433, 442)
_CLONE3: Final = 435
_MEMFD_SECRET: Final = 447
_MACHINES: Final[Mapping[str, Machine]] = {
    "x86_64": Machine(
        audit=0xC000003E,
        clone=56,
        socket=41,
        # syslog, pivot_root, acct, mount, umount2, swapon, swapoff, reboot, iopl, ioperm, init_module, delete_module,
        # quotactl, lookup_dcookie, kexec_load, add_key, request_key, keyctl, unshare, perf_event_open,
        # open_by_handle_at, setns, finit_module, kexec_file_load, bpf, userfaultfd
        refused=(
            *(103, 155, 163, 165, 166, 167, 168, 169, 172, 173, 175, 176, 179, 212, 246, 248, 249, 250, 272, 298),
            *(304, 308, 313, 320, 321, 323),
        ),
        uncounted=(319, 29),
    ),
    "aarch64": Machine(
        audit=0xC00000B7,
        clone=220,
        socket=198,
        # The same calls, in the order of these numbers; this machine has no iopl and ioperm.
        refused=(
            *(18, 39, 40, 41, 60, 89, 97, 104, 105, 106, 116, 142, 217, 218, 219, 224, 225, 241, 265, 268, 273, 280),
            *(282, 294),
        ),
        uncounted=(279, 194),
    ),
}
# AF_UNIX, AF_INET, AF_INET6, AF_NETLINK (which `getaddrinfo` asks for the machine's addresses).
_FAMILIES: Final = (1, 2, 10, 16)
# CLONE_NEW*: time, mount, cgroup, uts, ipc, user, pid, net.
_NEW_NAMESPACES: Final = 0x7E020080
_X32_BIT: Final = 0x40000000

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCH, _FIRST_ARGUMENT = 0, 4, 16
_ALLOW: Final = 0x7FFF0000
_ERRNO: Final = 0x00050000


def seccomp_program(machine: str | None = None) -> bytes | None:
    """Returns: the filter as the kernel takes it; None for a machine whose numbers are not known here."""
    known = _MACHINES.get(machine or os.uname().machine)
    if known is None:
        return None
    refuse = (_RETURN, _ERRNO | errno.EPERM)
    code = [
        *_unless(_EQUAL, known.audit, *refuse, at=_ARCH),
        *_when(_AT_LEAST, _X32_BIT, *refuse, load=True),
        *(op for number in (*known.refused, *_REFUSED_EVERYWHERE) for op in _when(_EQUAL, number, *refuse)),
        # clone3: its flags are behind a pointer; without it the C library takes `clone`.
        *(
            op
            for number in (_CLONE3, _MEMFD_SECRET, *known.uncounted)
            for op in _when(_EQUAL, number, _RETURN, _ERRNO | errno.ENOSYS)
        ),
        _op(_EQUAL, known.clone, otherwise=4),
        *_when(_ANY_BIT, _NEW_NAMESPACES, *refuse, at=_FIRST_ARGUMENT, load=True),
        _op(_RETURN, _ALLOW),
        _op(_EQUAL, known.socket, otherwise=2 + 2 * len(_FAMILIES)),
        _op(_LOAD, _FIRST_ARGUMENT),
        *(op for family in _FAMILIES for op in _when(_EQUAL, family, _RETURN, _ALLOW)),
        _op(_RETURN, _ERRNO | errno.EAFNOSUPPORT),
        _op(_RETURN, _ALLOW),
    ]
    return b"".join(code)


def _op(code: int, value: int, *, then: int = 0, otherwise: int = 0) -> bytes:
    """Returns: one instruction; the two last say how many instructions a comparison skips."""
    return struct.pack("=HBBI", code, then, otherwise, value)


def _when(compare: int, value: int, code: int, result: int, *, at: int = _NUMBER, load: bool = False) -> list[bytes]:
    """Returns: instructions that end with `result` where the comparison holds; loaded is what stands `at`."""
    loading = [_op(_LOAD, at)] if load else []
    return [*loading, _op(compare, value, otherwise=1), _op(code, result)]


def _unless(compare: int, value: int, code: int, result: int, *, at: int) -> list[bytes]:
    return [_op(_LOAD, at), _op(compare, value, then=1), _op(code, result)]
