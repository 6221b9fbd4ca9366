"""The secrets of jobs: sealed before they reach Redis, and taken out of everything that a job prints or hands back."""

from __future__ import annotations

from chef_supervisor.sealing.key import sealing_key
from chef_supervisor.sealing.scrub import MASK, Scrubber
from chef_supervisor.sealing.seal import Sealer

__all__ = ["MASK", "Scrubber", "Sealer", "sealing_key"]
