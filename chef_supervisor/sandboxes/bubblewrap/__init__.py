"""
Boxes made by bubblewrap, where there is no Docker Engine: namespaces of the kernel, no daemon, no image.

Held by the kernel: own user, mount, PID, network, IPC, UTS and cgroup namespaces, no capabilities, no further user
namespaces, nothing writable but the workspace, `/tmp` and `/dev/shm`, whose sizes are bounded.
Best effort (`CAVEATS`): memory, CPU time, number of processes on kernels before 5.14.
"""

from __future__ import annotations

from chef_supervisor.sandboxes.bubblewrap.sandbox import CAVEATS, BubblewrapSandbox

__all__ = ["CAVEATS", "BubblewrapSandbox"]
