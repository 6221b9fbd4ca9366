"""Whatever a box or a project says, the engine answers with a valid outcome and never raises."""

from __future__ import annotations

import contextlib
import unicodedata

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from chef_supervisor.domain.assignment import Assignment
from chef_supervisor.domain.files import check_path
from chef_supervisor.domain.job import JobType
from chef_supervisor.domain.outcome import Artifact, Outcome
from chef_supervisor.domain.work import (
    ArtifactData,
    BoxEnded,
    BoxEvent,
    EndedBy,
    ReportFile,
    StepEnded,
    StepOutput,
    StepStarted,
)
from chef_supervisor.engine.outcome import needs_retry, outcome_of
from chef_supervisor.engine.plan import Plan, plan
from chef_supervisor.engine.readers import OUTPUT_READERS, REPORT_READERS
from chef_supervisor.engine.record import Record
from chef_supervisor.engine.shapes import Unreadable
from chef_supervisor.engine.text import decode
from tests.kit import sample_projects
from tests.unit.engine.samples import BUDGET, TOOLCHAINS, capture, planned

JOBS = [("web", job) for job in JobType] + [("python", job) for job in JobType if job is not JobType.LINT]
PLANS = [
    attrs.evolve(planned(job, sample_projects.load(name)), output_readers=tuple(OUTPUT_READERS)) for name, job in JOBS
]
CAPTURES = [
    "tsc7.txt", "vite8-syntax.txt", "vite6-not-exported.txt", "oxlint.txt", "eslint.txt", "biome-github.txt", "mypy.txt",
    "traceback.txt", "compileall.txt", "esbuild.txt", "vitest5-fail.json", "pytest9.xml", "node-test.xml", "eslint.json",
    "mocha12.json", "stylelint17.json", "oxlint1.json", "node24.xml", "vitest5.txt", "jest30.txt", "mocha12.txt", "ava7.txt",
    "node24-spec.txt", "node24-tap.txt", "vitest5-tap.txt", "bun1.txt", "pytest9-long.txt", "unittest.txt", "biome2.txt",
    "stylelint17.txt", "ruff0-full.txt", "python-group.txt", "python-chain.txt", "node24-throw.txt", "vite8-plugin.txt",
]  # fmt: skip


def torn(content: bytes) -> st.SearchStrategy[bytes]:
    """A real capture with something put in its middle: comes further than noise does."""
    places = st.integers(0, len(content))
    return st.builds(lambda at, to, noise: content[:at] + noise + content[to:], places, places, st.binary(max_size=20))


BYTES = st.one_of(st.binary(max_size=300), st.sampled_from(CAPTURES).map(capture).flatmap(torn))
# Lines of what tools really print, in an order that none prints them in.
LINES = sorted({line for name in CAPTURES for line in decode(capture(name)).splitlines()})
SHUFFLED = st.lists(st.sampled_from(LINES), max_size=30)
INDEXES = st.integers(-1, 4)
EVENTS: st.SearchStrategy[BoxEvent] = st.one_of(
    st.builds(StepStarted, INDEXES),
    st.builds(StepOutput, INDEXES, BYTES),
    st.builds(
        StepEnded,
        index=INDEXES,
        exit_code=st.one_of(st.none(), st.integers(-1, 256)),
        ended_by=st.sampled_from(EndedBy),
        ms=st.integers(-5, 10**9),
    ),
    st.builds(ReportFile, st.sampled_from([".chef/vitest.json", ".chef/pytest.xml", ".chef/ruff.json", "x"]), BYTES),
    st.builds(
        ArtifactData,
        path=st.text(max_size=20),
        chunk=BYTES,
        whole=st.builds(Artifact, path=st.text(max_size=20), bytes=st.integers(-1, 9), sha256=st.just("0" * 64)),
    ),
    st.builds(
        BoxEnded,
        complete=st.booleans(),
        ended_by=st.sampled_from(EndedBy),
        warnings=st.lists(st.text(max_size=20), max_size=3).map(tuple),
    ),
)


def assert_valid(outcome: Outcome) -> None:
    result = outcome.result
    assert outcome.status.terminal
    assert len(result.summary.encode()) <= 4096
    assert len(result.diagnostics) <= 200
    assert all(
        check_path(one.file, "file") == one.file and one.line >= 0 and one.column >= 0 for one in result.diagnostics
    )
    assert all(check_path(one.path, "path") == one.path for one in result.artifacts)
    cases = result.tests.cases if result.tests is not None else ()
    texts = [result.message, result.summary, result.output.head, result.output.tail, *result.warnings]
    texts += [text for one in result.diagnostics for text in (one.message, one.code, one.file)]
    texts += [text for case in cases for text in (case.name, case.file, case.message)]
    for text in texts:
        text.encode()
        assert not any(unicodedata.category(char) == "Cc" and char not in "\t\n" for char in text)
    assert result.output.dropped_bytes >= 0
    assert all(step.ms >= 0 for step in result.steps)


@settings(max_examples=150)
@given(st.sampled_from(PLANS), st.lists(EVENTS, max_size=25))
def test_any_events_give_a_valid_outcome(planned_job: Plan, events: list[BoxEvent]) -> None:
    record = Record(planned_job)
    percents = [record.percent]

    for event in events:
        record.add(event)
        percents.append(record.percent)

    assert percents == sorted(percents)
    assert max(percents) <= 99
    needs_retry(record)
    assert_valid(outcome_of(planned_job, record))


@settings(max_examples=200)
@given(st.sampled_from(sorted(REPORT_READERS)), BYTES)
def test_any_report_is_read_or_unreadable(reader: str, content: bytes) -> None:
    with contextlib.suppress(Unreadable):
        assert len(REPORT_READERS[reader](content).diagnostics) <= 200


@settings(max_examples=200)
@given(st.sampled_from(sorted(OUTPUT_READERS)), st.one_of(st.lists(st.text(max_size=80), max_size=8), SHUFFLED))
def test_any_lines_are_read_within_bounds(reader: str, lines: list[str]) -> None:
    found = OUTPUT_READERS[reader](lines)

    assert len(found.diagnostics) <= 200
    if found.tests is not None:
        assert min(found.tests.passed, found.tests.failed, found.tests.skipped) >= 0
        assert len(found.tests.cases) <= 500


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=8,
)
MANIFEST = st.one_of(
    st.binary(max_size=60),
    st.dictionaries(st.sampled_from(["scripts", "dependencies", "workspaces"]), JSON).map(
        lambda value: repr(value).encode()
    ),
    st.sampled_from(
        [b'{"scripts":{"test":"vitest","build":"npm run build"}}', b'[project]\ndependencies = [1, "a"]', b"-r x\n-e ."]
    ),
)
NAMES = [
    "package.json",
    "tsconfig.json",
    "pyproject.toml",
    "requirements.txt",
    "uv.lock",
    "a.test.ts",
    "test_a.py",
    "x",
]


@settings(max_examples=150)
@given(st.sampled_from(JobType), st.dictionaries(st.sampled_from(NAMES), MANIFEST))
def test_any_project_is_planned(job_type: JobType, files: dict[str, bytes]) -> None:
    found = plan(job_type, Assignment(files=files), TOOLCHAINS, BUDGET)

    if isinstance(found, Outcome):
        assert_valid(found)
    else:
        assert found.run.steps
        assert len(found.steps) == len(found.run.steps)
