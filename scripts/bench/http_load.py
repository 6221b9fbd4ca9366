"""wrk, which makes the requests: so many connections for so many seconds, as fast as they are answered."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

import attrs

POST: Final = Path(__file__).parent / "post.lua"
POST_LATER: Final = Path(__file__).parent / "post_later.lua"
CONNECTIONS: Final = 32
WARM_S: Final = 2
MEASURED_S: Final = 5
_RATE: Final = re.compile(r"^Requests/sec:\s+([0-9.]+)$", re.MULTILINE)
_REQUESTS: Final = re.compile(r"^\s+([0-9]+) requests in ", re.MULTILINE)
_FAULTS: Final = re.compile(r"^\s*(Non-2xx.*|Socket errors.*)$", re.MULTILINE)


@attrs.frozen
class Load:
    """What was answered, and how many a second."""

    requests: int
    per_s: float


def require_wrk() -> str:
    """
    Returns: the program.

    Raises:
        SystemExit: there is none.
    """
    found = shutil.which("wrk")
    if found is None:
        raise SystemExit("wrk, which makes the requests, was not found; on Debian and Ubuntu: apt-get install wrk")
    return found


def load(url: str, *, seconds: int = MEASURED_S, connections: int = CONNECTIONS, script: Path | None = None) -> Load:
    """
    Returns: how it went.

    Raises:
        RuntimeError: a request failed, or was refused: then the rate says nothing.
    """
    given = ("-s", str(script)) if script else ()
    argv = [require_wrk(), "-t1", f"-c{connections}", f"-d{seconds}s", *given, url]
    told = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    rate, requests = _RATE.search(told), _REQUESTS.search(told)
    if _FAULTS.search(told) or rate is None or requests is None:
        raise RuntimeError(f"not all requests to {url} were answered well:\n{told}")
    return Load(int(requests[1]), float(rate[1]))


def warmed_per_s(url: str, *, script: Path | None = None, connections: int = CONNECTIONS) -> float:
    """Returns: requests a second, after some that do not count."""
    load(url, seconds=WARM_S, connections=connections, script=script)
    return load(url, connections=connections, script=script).per_s
