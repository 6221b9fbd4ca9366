"""Whether the names that a toolchain uses are known: readers, and words of an argv. A slip would else do nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from chef_supervisor.domain.toolchain import StepTemplate, Toolchain
from chef_supervisor.engine.analysis import ANALYSIS_READERS
from chef_supervisor.engine.readers import OUTPUT_READERS, REPORT_READERS

# What a project or a plan gives, beside the toolchain's own words and programs.
_GIVEN: Final = frozenset({"deps", "each", "added", "uv_extras", "python_path"})
_WORD: Final = re.compile(r"\{([a-z_]+)\}")


def unknown_names(toolchain: Toolchain) -> list[str]:
    """Returns: a sentence for each."""
    faults = [f"output_readers: no reader {name!r}" for name in toolchain.output_readers if name not in OUTPUT_READERS]
    for place, step in _steps(toolchain):
        faults += [
            f"{place}: step {step.name}: no report reader {reader!r}"
            for reader in step.reports.values()
            if reader not in REPORT_READERS and reader not in ANALYSIS_READERS
        ]
        faults += [
            f"{place}: step {step.name}: no words {name!r}"
            for name in _words(step)
            if not _knows(toolchain, name, step)
        ]
    return faults


def _steps(toolchain: Toolchain) -> Iterator[tuple[str, StepTemplate]]:
    for job, ways in toolchain.jobs.items():
        yield from ((f"jobs.{job}", step) for way in ways for step in (*way.steps, *way.audit))
    yield from (("install.ways", step) for way in toolchain.install.ways for step in way.steps)
    yield from (("install.offline", step) for step in toolchain.install.offline)


def _words(step: StepTemplate) -> list[str]:
    return [match[1] for word in step.run if (match := _WORD.fullmatch(word))]


def _knows(toolchain: Toolchain, name: str, step: StepTemplate) -> bool:
    # A step that needs words is left out where there are none.
    return name in _GIVEN or name == step.needs or name in toolchain.words or name in toolchain.programs
