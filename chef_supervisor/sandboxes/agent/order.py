"""The order as it came: plain attribute access to a JSON object that the supervisor made."""

from __future__ import annotations

import json
from typing import NamedTuple


class StepOrder(NamedTuple):
    """One command to run."""

    argv: list[str]
    cwd: str
    env: dict[str, str]
    timeout_s: float
    keep_going: bool


class LimitOrder(NamedTuple):
    """What a step may use, where the engine does not see to it; 0 leaves a limit as it is."""

    nice: int = 0
    nproc: int = 0
    nofile: int = 0
    fsize: int = 0


class Order(NamedTuple):
    """Everything to do; times are in seconds."""

    steps: list[StepOrder]
    env: dict[str, str]
    timeout_s: float
    root: str
    links_from: str | None
    reports: list[str]
    artifact_globs: list[str]
    step_output_bytes: int
    live_bytes_per_s: int
    most_output_bytes: int
    report_bytes: int
    max_artifacts: int
    artifact_bytes: int
    limits: LimitOrder
    most_disk_bytes: int = 0
    needs: str | None = None


def read_order(payload: bytes) -> Order:
    """Returns: the order; it comes from the supervisor, so a malformed one is a bug and may raise anything."""
    told = json.loads(payload)
    told["steps"] = [StepOrder(**step) for step in told["steps"]]
    told["limits"] = LimitOrder(**told["limits"])
    return Order(**told)
