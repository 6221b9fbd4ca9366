"""Readers of what tools report, by the names that toolchains use. All of it is hostile: bounded, never believed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from chef_supervisor.domain.outcome import Diagnostic
from chef_supervisor.engine.readers.bundler import read_bundler
from chef_supervisor.engine.readers.eslint_text import read_eslint_text
from chef_supervisor.engine.readers.findings import Findings
from chef_supervisor.engine.readers.frames import read_frames
from chef_supervisor.engine.readers.jest_json import read_jest_json
from chef_supervisor.engine.readers.junit import read_junit
from chef_supervisor.engine.readers.lines import read_flake8, read_github, read_mypy, read_tsc
from chef_supervisor.engine.readers.lint_json import read_eslint_json, read_ruff_json
from chef_supervisor.engine.readers.traceback import read_traceback

# A report file, whole -> what it says; raises Unreadable.
REPORT_READERS: Final[Mapping[str, Callable[[bytes], Findings]]] = {
    "jest_json": read_jest_json,
    "junit": read_junit,
    "eslint_json": read_eslint_json,
    "ruff_json": read_ruff_json,
}
# The clean lines that the steps printed -> what they say.
OUTPUT_READERS: Final[Mapping[str, Callable[[list[str]], Iterator[Diagnostic | None]]]] = {
    "tsc": read_tsc,
    "frames": read_frames,
    "bundler": read_bundler,
    "eslint_text": read_eslint_text,
    "github": read_github,
    "mypy": read_mypy,
    "flake8": read_flake8,
    "traceback": read_traceback,
}
