"""Readers of what tools report, by the names that toolchains use. All of it is hostile: bounded, never believed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from chef_supervisor.engine.readers.ava_text import read_ava_text
from chef_supervisor.engine.readers.biome_text import read_biome_text
from chef_supervisor.engine.readers.bun_text import read_bun_text
from chef_supervisor.engine.readers.bundler import read_bundler
from chef_supervisor.engine.readers.eslint_text import read_eslint_text, read_stylelint_text
from chef_supervisor.engine.readers.findings import Findings, by_lines
from chef_supervisor.engine.readers.frames import read_frames
from chef_supervisor.engine.readers.github import read_github
from chef_supervisor.engine.readers.jest_json import read_jest_json
from chef_supervisor.engine.readers.jest_text import read_jest_text
from chef_supervisor.engine.readers.junit import read_junit
from chef_supervisor.engine.readers.lines import read_flake8, read_mypy, read_tsc
from chef_supervisor.engine.readers.lint_json import (
    read_eslint_json,
    read_oxlint_json,
    read_ruff_json,
    read_stylelint_json,
)
from chef_supervisor.engine.readers.mocha_json import read_mocha_json
from chef_supervisor.engine.readers.mocha_text import read_mocha_text
from chef_supervisor.engine.readers.node_errors import read_node_errors
from chef_supervisor.engine.readers.node_text import read_node_text
from chef_supervisor.engine.readers.pytest_text import read_pytest_text
from chef_supervisor.engine.readers.ruff_text import read_ruff_text
from chef_supervisor.engine.readers.tap import read_tap
from chef_supervisor.engine.readers.traceback import read_traceback
from chef_supervisor.engine.readers.unittest_text import read_unittest_text
from chef_supervisor.engine.readers.vitest_text import read_vitest_text

# A report file, whole -> what it says; raises Unreadable.
REPORT_READERS: Final[Mapping[str, Callable[[bytes], Findings]]] = {
    "jest_json": read_jest_json,
    "junit": read_junit,
    "mocha_json": read_mocha_json,
    "eslint_json": read_eslint_json,
    "oxlint_json": read_oxlint_json,
    "ruff_json": read_ruff_json,
    "stylelint_json": read_stylelint_json,
}
# The clean lines that steps printed -> what they say.
OUTPUT_READERS: Final[Mapping[str, Callable[[list[str]], Findings]]] = {
    "tsc": by_lines(read_tsc),
    "frames": by_lines(read_frames),
    "bundler": by_lines(read_bundler),
    "eslint_text": by_lines(read_eslint_text),
    "stylelint_text": by_lines(read_stylelint_text),
    "biome_text": by_lines(read_biome_text),
    "github": by_lines(read_github),
    "mypy": by_lines(read_mypy),
    "flake8": by_lines(read_flake8),
    "ruff_text": by_lines(read_ruff_text),
    "tap": read_tap,
    "vitest_text": read_vitest_text,
    "jest_text": read_jest_text,
    "mocha_text": read_mocha_text,
    "ava_text": read_ava_text,
    "node_text": read_node_text,
    "bun_text": read_bun_text,
    "pytest_text": read_pytest_text,
    "unittest_text": read_unittest_text,
    "node_errors": by_lines(read_node_errors),
    "traceback": by_lines(read_traceback),
}
# Stacks that were printed: programs that do well print some too, so they are read only where nothing else tells why a
# step failed.
LAST_RESORT: Final = frozenset({"node_errors", "traceback"})
