"""What an analyze job finds out, read from the reports of tools that ran in its boxes."""

from __future__ import annotations

from chef_supervisor.engine.analysis.asked import Asked, asked_of
from chef_supervisor.engine.analysis.assembling import analysis_of
from chef_supervisor.engine.analysis.readers import ANALYSIS_READERS
from chef_supervisor.engine.analysis.telling import lines_of

__all__ = ["ANALYSIS_READERS", "Asked", "analysis_of", "asked_of", "lines_of"]
