"""
Draws docs/plots from what `scripts.bench.curves` wrote, with a matplotlib that is installed for it alone.

    python -m scripts.bench.plots [--json FILE] [--into FOLDER]
"""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path
from typing import Final

from scripts.bench.installed import ROOT, peers_python

_BUILT: Final = ROOT / "build/bench"


def main() -> None:
    """Draw all of them; ends with the exit code."""
    parser = argparse.ArgumentParser(prog="just bench-plots", description="Draws the plots of docs/performance.md.")
    parser.add_argument("--json", type=Path, default=_BUILT / "curves.json", help="by default build/bench/curves.json")
    parser.add_argument("--into", type=Path, default=ROOT / "docs/plots", help="by default docs/plots")
    asked = parser.parse_args()
    if not asked.json.is_file():
        parser.error(f"{asked.json} is not there: ./scripts/just bench-curves writes it")
    asked.into.mkdir(parents=True, exist_ok=True)
    argv = [peers_python(_BUILT, "bench"), "-m", "scripts.bench.peers.draw", asked.json.resolve(), asked.into.resolve()]
    raise SystemExit(subprocess.run(argv, cwd=ROOT, check=False).returncode)


if __name__ == "__main__":
    main()
