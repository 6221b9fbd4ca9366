"""How reports become one analysis, and what is said where there is none."""

from __future__ import annotations

import orjson
import pytest

from chef_supervisor.domain.analysis import Analysis, Answer, Dependencies, Vulnerabilities
from chef_supervisor.engine.analysis import analysis_of, lines_of
from tests.unit.engine.analysis.samples import asked, capture

READERS = {"p": "npm_packages", "k": "knip", "b": "bundle", "a": "npm_audit"}


def test_a_part_without_a_report_is_unknown_and_says_why() -> None:
    analysis = analysis_of(asked("lodash"), READERS, {"k": capture("knip.json")})

    assert analysis.usage is not None
    assert analysis.usage.status is Answer.KNOWN
    assert analysis.bundle is not None
    assert analysis.bundle.status is Answer.UNKNOWN
    assert analysis.bundle.reason.startswith("the bundler gave no report")


def test_what_needs_no_tool_is_told_also_where_the_rest_is_unknown() -> None:
    analysis = analysis_of(asked("lodash"), READERS, {})

    assert analysis.inventory == asked().inventory
    assert isinstance(analysis.dependencies, Dependencies)
    assert [one.name for one in analysis.dependencies.direct] == ["lodash"]


@pytest.mark.parametrize("name", ["npm-audit-silent.json", "pnpm-audit-silent.json"])
def test_a_registry_that_does_not_say_leaves_vulnerabilities_unknown(name: str) -> None:
    analysis = analysis_of(asked("lodash"), {"a": "npm_audit"}, {"a": capture(name)})

    assert analysis.vulnerabilities is not None
    assert analysis.vulnerabilities.status is Answer.UNKNOWN
    assert "the registry did not say" in analysis.vulnerabilities.reason


def test_a_database_that_knows_no_package_leaves_vulnerabilities_unknown() -> None:
    analysis = analysis_of(asked("jinja2"), {"a": "pip_audit"}, {"a": capture("pip-audit-silent.json")})

    assert analysis.vulnerabilities is not None
    assert analysis.vulnerabilities.status is Answer.UNKNOWN
    assert "knows none of the 11 packages" in analysis.vulnerabilities.reason


def test_packages_that_the_database_does_not_know_are_counted() -> None:
    known = orjson.loads(capture("pip-audit.json"))["dependencies"]
    unknown = orjson.loads(capture("pip-audit-silent.json"))["dependencies"][:3]
    report = orjson.dumps({"dependencies": known + unknown})

    analysis = analysis_of(asked("jinja2"), {"a": "pip_audit"}, {"a": report})

    assert analysis.vulnerabilities is not None
    assert (analysis.vulnerabilities.count, analysis.vulnerabilities.unchecked) == (1, 3)


def test_a_vulnerability_without_a_version_gets_the_installed_one() -> None:
    reports = {"p": capture("npm-sbom.json"), "a": capture("npm-audit.json")}

    analysis = analysis_of(asked("lodash"), READERS, reports)

    assert analysis.vulnerabilities is not None
    assert [one.version for one in analysis.vulnerabilities.items] == ["4.17.15", "3.3.20"]


def test_a_project_without_dependencies_is_known_to_have_no_vulnerabilities() -> None:
    analysis = analysis_of(asked(), {}, {})

    assert analysis == Analysis(
        inventory=asked().inventory, dependencies=Dependencies(), vulnerabilities=Vulnerabilities()
    )


def test_where_no_tool_is_asked_dependencies_are_unknown_and_other_parts_not_there() -> None:
    analysis = analysis_of(asked("attrs"), {}, {})

    assert analysis.vulnerabilities is not None
    assert analysis.vulnerabilities.status is Answer.UNKNOWN
    assert analysis.cycles is None


def test_an_empty_file_is_no_report() -> None:
    analysis = analysis_of(asked(), {"k": "knip"}, {"k": b""})

    assert analysis.cycles is not None
    assert analysis.cycles.reason.startswith("knip gave no report")


def test_the_summary_begins_with_what_is_worst_and_ends_with_what_is_unknown() -> None:
    reports = {"k": capture("knip.json"), "a": capture("npm-audit.json")}

    lines = list(lines_of(analysis_of(asked("lodash"), READERS, reports)))

    assert lines[:2] == [
        "known vulnerabilities: 2",
        "  high lodash GHSA-35jh-r3h4-6jhm: Command Injection in lodash",
    ]
    assert "unused dependencies: lodash, react" in lines
    assert "imported but not declared: dayjs (src/main.js:2)" in lines
    assert "  src/b.js -> src/main.js -> src/b.js" in lines
    assert [line.partition(":")[0] for line in lines[-2:]] == ["unknown (dependencies)", "unknown (bundle)"]


def test_where_nothing_ran_all_parts_say_so_and_the_summary_once() -> None:
    analysis = analysis_of(asked("lodash"), READERS, {}, nothing_ran="the install failed")

    assert list(lines_of(analysis)) == [
        "2 files, 100 bytes",
        "1 dependencies declared",
        "unknown (vulnerabilities, usage, import cycles, dependencies, bundle): the install failed",
    ]


def test_an_audit_of_yarn_that_ended_well_and_said_nothing_found_nothing() -> None:
    analysis = analysis_of(asked("lodash"), {"a": "npm_audit"}, {"a": b"\n"})

    assert analysis.vulnerabilities == Vulnerabilities()


def test_the_reason_of_a_silent_registry_names_no_address() -> None:
    report = b'{"message": "request to https://user:secret@registry.example/x failed", "error": {"summary": ""}}'

    analysis = analysis_of(asked("lodash"), {"a": "npm_audit"}, {"a": report})

    assert analysis.vulnerabilities is not None
    assert "(request to ... failed)" in analysis.vulnerabilities.reason
