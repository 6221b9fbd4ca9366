"""Reports are written where the project's own code ran: whatever they hold, reading ends soon and never raises."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chef_supervisor.domain.analysis import Analysis
from chef_supervisor.engine.analysis import ANALYSIS_READERS, analysis_of, lines_of
from tests.unit.engine.analysis.samples import asked, capture

CAPTURED = {
    "cyclonedx": "python-sbom.json",
    "npm_packages": "pnpm-list.json",
    "knip": "knip.json",
    "deptry": "deptry.json",
    "import_graph": "imports.json",
    "bundle": "bundle.json",
    "npm_audit": "npm-audit.json",
    "pip_audit": "pip-audit.json",
}
KEYS = st.sampled_from(
    sorted({
        *("issues", "file", "name", "cycles", "unlisted", "dependencies", "vulns", "components", "licenses", "license"),
        *("bomFormat", "CycloneDX", "vulnerabilities", "via", "advisories", "groups", "source", "filename", "error"),
        *("code", "DEP001", "DEP002", "module", "location", "a.py", "../x", "severity", "version"),
    })
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | KEYS | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=30,
)


def test_every_reader_has_a_capture() -> None:
    assert CAPTURED.keys() == ANALYSIS_READERS.keys()


@given(reader=st.sampled_from(sorted(ANALYSIS_READERS)), report=st.binary(max_size=50) | VALUES.map(orjson.dumps))
def test_any_report_is_read_or_unknown(reader: str, report: bytes) -> None:
    analysis = analysis_of(asked("lodash"), {"r": reader}, {"r": report})

    assert isinstance(analysis, Analysis)
    assert all(len(line) <= 400 for line in lines_of(analysis))


@pytest.mark.parametrize("reader", sorted(ANALYSIS_READERS))
def test_a_report_that_was_cut_is_unknown(reader: str) -> None:
    whole = capture(CAPTURED[reader])

    analysis = analysis_of(asked(), {"r": reader}, {"r": whole[:-3]})

    assert any("cannot be used" in line for line in lines_of(analysis)), analysis


def test_lists_are_bounded_and_what_they_leave_out_is_counted() -> None:
    unlisted = [{"name": f"p{number}", "line": number} for number in range(3000)]
    cycles = [[{"name": f"a{number}.js"}, {"name": f"b{number}.js"}] for number in range(3000)]
    report = orjson.dumps({"issues": [{"file": "a.js", "unlisted": unlisted, "cycles": cycles}]})

    analysis = analysis_of(asked(), {"k": "knip"}, {"k": report})

    assert analysis.usage is not None
    assert (len(analysis.usage.missing), analysis.usage.missing_count) == (100, 3000)
    assert analysis.cycles is not None
    assert (len(analysis.cycles.paths), analysis.cycles.count) == (50, 3000)


def test_names_are_clean_and_short() -> None:
    report = orjson.dumps({"issues": [{"file": "a.js", "unlisted": [{"name": "\x1b[31mred\n\u202e" + "x" * 10_000}]}]})

    analysis = analysis_of(asked(), {"k": "knip"}, {"k": report})

    assert analysis.usage is not None
    assert analysis.usage.missing[0].name.startswith("red x")
    assert len(analysis.usage.missing[0].name) <= 214


def test_a_cycle_that_leaves_the_project_is_left_out() -> None:
    cycles = [[{"name": "../../etc/passwd"}, {"name": "a.js"}], [{"name": "a.js"}, {"name": "b.js"}]]
    report = orjson.dumps({"issues": [{"file": "a.js", "cycles": cycles}]})

    analysis = analysis_of(asked(), {"k": "knip"}, {"k": report})

    assert analysis.cycles is not None
    assert analysis.cycles.paths == (("a.js", "b.js"),)


def test_a_graph_of_nothing_but_cycles_is_read_up_to_the_bound() -> None:
    graph = {f"m{number}.py": [f"m{other}.py" for other in range(60)] for number in range(60)}

    analysis = analysis_of(asked(), {"i": "import_graph"}, {"i": orjson.dumps(graph)})

    assert analysis.cycles is not None
    assert analysis.cycles.count == 20
    assert all(
        path[(at + 1) % len(path)] in graph[file] for path in analysis.cycles.paths for at, file in enumerate(path)
    )


def test_a_graph_larger_than_any_project_is_unknown() -> None:
    graph = {"a.py": [f"m{number}.py" for number in range(200_000)]}

    analysis = analysis_of(asked(), {"i": "import_graph"}, {"i": orjson.dumps(graph)})

    assert analysis.cycles is not None
    assert "more than 100000" in analysis.cycles.reason
