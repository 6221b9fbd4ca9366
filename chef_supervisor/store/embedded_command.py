"""How the embedded Redis is called, and whether it answers."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Final

# Asks the kernel for SIGTERM at the parent's death and becomes Redis. Not a `preexec_fn`: that runs Python between
# fork and exec, which may deadlock where there are threads.
_LAUNCHER: Final = """
import ctypes, os, sys
if sys.platform == "linux" and ctypes.CDLL(None).prctl(1, 15) != 0:
    sys.exit("prctl failed")
if os.getppid() != int(sys.argv[1]):
    sys.exit("the parent is gone already")
os.execv(sys.argv[2], sys.argv[2:])
"""
_PROBE_S: Final = 1.0


def launch_command(server: Path, data_dir: Path, socket_path: Path) -> tuple[str, ...]:
    """Returns: the command of a server that dies with the calling process."""
    # -I -S: nothing of the environment or the site can get in between, and it is faster.
    launcher = (sys.executable, "-I", "-S", "-c", _LAUNCHER, str(os.getpid()))
    return (*launcher, *server_command(server, data_dir, socket_path))


def server_command(server: Path, data_dir: Path, socket_path: Path) -> tuple[str, ...]:
    """Returns: the server's command. What config/redis.conf says of the data holds here too."""
    options = {
        "port": "0",
        "unixsocket": str(socket_path),
        "unixsocketperm": "700",
        "dir": str(data_dir),
        "daemonize": "no",
        "loglevel": "warning",
        "databases": "1",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "no-appendfsync-on-rewrite": "no",
        "save": "",
        "maxmemory": "2gb",
        "maxmemory-policy": "noeviction",
    }
    return (str(server), *(part for name, value in options.items() for part in (f"--{name}", value)))


async def answers(socket_path: Path) -> bool:
    """Whether a server answers there; not while it still loads its data."""
    try:
        async with asyncio.timeout(_PROBE_S):
            reader, writer = await asyncio.open_unix_connection(str(socket_path))
            try:
                writer.write(b"PING\r\n")
                return await reader.readline() == b"+PONG\r\n"
            finally:
                writer.close()
    except OSError:
        return False
