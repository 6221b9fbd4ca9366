"""
The real service with one fault planted from outside.

    python -m tests.kit.faulty_service --at mid_run --do kill [--once FILE] [--only TENANT] serve ...
    python -m tests.kit.faulty_service --hold FILE serve ...
    python -m tests.kit.faulty_service --internet FILE serve ...

`--hold`: no box of the null sandbox ends before that file is there. `--internet`: see `hook_seams`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from chef_supervisor.__main__ import main
from tests.kit import seams
from tests.kit.fault import Deed, Fault
from tests.kit.hook_seams import plant_internet


def faulty(
    at: str,
    deed: Deed = Deed.KILL,
    *,
    once: Path | None = None,
    only: str = "",
    stall_s: float = 0.0,
    hold: Path | None = None,
) -> tuple[str, ...]:
    """Returns: what `service.started` takes as its module to start a service with that fault."""
    options = ["--at", at, "--do", str(deed), "--stall-s", str(stall_s), "--only", only]
    options += ["--once", str(once)] if once else []
    options += ["--hold", str(hold)] if hold else []
    return ("tests.kit.faulty_service", *options)


def held(until: Path) -> tuple[str, ...]:
    """Returns: the same for a service whose null boxes end when that file is there."""
    return ("tests.kit.faulty_service", "--hold", str(until))


def connected(internet: Path) -> tuple[str, ...]:
    """Returns: the same for a service whose callbacks go to the names of that file."""
    return ("tests.kit.faulty_service", "--internet", str(internet))


def _run(argv: list[str]) -> None:
    ours = argparse.ArgumentParser(prog="faulty_service", allow_abbrev=False)
    ours.add_argument("--at", default="")
    ours.add_argument("--do", type=Deed, default=Deed.KILL)
    ours.add_argument("--stall-s", type=float, default=0.0)
    ours.add_argument("--once", type=Path)
    ours.add_argument("--only", default="")
    ours.add_argument("--hold", type=Path)
    ours.add_argument("--internet", type=Path)
    chosen, sys.argv[1:] = ours.parse_known_args(argv)
    fault = Fault(at=chosen.at, deed=chosen.do, stall_s=chosen.stall_s, once=chosen.once, only=chosen.only)
    if fault.at:
        seams.plant(fault.strike, fault.at)
    if chosen.hold is not None:
        seams.hold(chosen.hold)
    if chosen.internet is not None:
        plant_internet(chosen.internet)
    main()


if __name__ == "__main__":
    _run(sys.argv[1:])
