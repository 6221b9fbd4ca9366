from __future__ import annotations

from collections.abc import Mapping

import attrs
import pytest

from chef_supervisor.domain.job import JobStatus, JobType
from chef_supervisor.domain.outcome import Result, Verdict
from chef_supervisor.engine.outcome import outcome_of
from chef_supervisor.engine.plan import Plan
from chef_supervisor.engine.readers import OUTPUT_READERS
from chef_supervisor.engine.record import Record
from tests.unit.engine.samples import box, capture, package, planned

# A job whose one step is a script that nobody knows: only what it prints tells anything.
SCRIPT = package(test="./everything", build="./everything")
FILES = {
    "src/missing.test.js": 'import { test } from "vitest";\nimport { nothing } from "./nowhere.js";\n',
    "test/math.test.js": 'it("never ends", (done) => {});\n',
    "packages/shop/src/t.ts": "",
}


def script(job_type: JobType = JobType.TEST, files: Mapping[str, str] = FILES) -> Plan:
    return attrs.evolve(planned(job_type, SCRIPT | dict(files)), output_readers=tuple(OUTPUT_READERS))


def result(plan: Plan, output: bytes, code: int = 1, reports: Mapping[str, bytes] | None = None) -> Result:
    record = Record(plan)
    events = box(exits=(code,), output=output, reports=reports)
    for event in [*(box(exits=(0,)) if plan.install is not None else []), *events]:
        record.add(event)
    return outcome_of(plan, record).result


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("vitest5.txt", (1, 7, 2)), ("jest30.txt", (1, 5, 2)), ("mocha12.txt", (1, 5, 2)), ("ava7.txt", (2, 3, 2)),
        ("ava7-tap.txt", (2, 4, 2)), ("node24-spec.txt", (1, 5, 2)), ("node24-tap.txt", (1, 5, 2)), ("bun1.txt", (1, 3, 2)),
        ("pytest9-long.txt", (2, 7, 2)), ("unittest.txt", (1, 6, 2)),
    ],
)  # fmt: skip
def test_a_script_that_runs_tests_is_read_from_what_it_prints(name: str, counts: tuple[int, int, int]) -> None:
    found = result(script(), capture(name))

    assert found.tests is not None
    assert counts == (found.tests.passed, found.tests.failed, found.tests.skipped)
    assert found.message == f"{counts[1]} of {counts[0] + counts[1]} tests failed."
    # one finding per failed test and no stack beside it
    assert {"test-failed"} >= {one.code for one in found.diagnostics if one.tool != "node"}
    places = [(one.file, one.line) for one in found.diagnostics]
    # (the two subtests of one line of unittest apart)
    assert len(places) - len(set(places)) == (name == "unittest.txt")


def test_a_script_of_several_tools_is_read_by_all_of_them() -> None:
    output = capture("eslint9.txt") + capture("stylelint17.txt") + capture("mocha12.txt")

    found = result(script(), output)

    assert {tool: sum(one.tool == tool for one in found.diagnostics) for tool in ("eslint", "stylelint", "mocha")} == {
        "eslint": 4,
        "stylelint": 8,
        "mocha": 5,
    }
    assert found.tests is not None
    assert found.tests.failed == 5


def test_tests_of_two_runners_are_added_up() -> None:
    found = result(script(), capture("mocha12.txt") + capture("node24-spec.txt"))

    assert found.tests is not None
    assert (found.tests.passed, found.tests.failed, found.tests.skipped) == (2, 10, 4)
    assert found.tests.cases[0].status is Verdict.FAILED


def test_a_report_beats_the_printed_text_of_the_same_run() -> None:
    plan = planned(JobType.TEST, package(("vitest",), test="vitest") | FILES)
    plan = attrs.evolve(plan, output_readers=tuple(OUTPUT_READERS))

    found = result(plan, capture("vitest5.txt"), reports={".chef/vitest.json": capture("vitest5.json")})

    assert found.tests is not None
    assert found.tests.failed == 7
    assert {"vitest"} == {one.tool for one in found.diagnostics}
    assert len(found.diagnostics) == 7


def test_what_well_ended_steps_print_makes_no_failure() -> None:
    found = result(script(), capture("mocha12.txt"), code=0)

    assert (found.verdict, found.tests, found.diagnostics) == (Verdict.PASSED, None, ())


def test_what_a_test_job_prints_in_passing_is_counted_and_a_build_is_not() -> None:
    output = b"\n  3 passing (12ms)\n  1 pending\n"

    tested, built = result(script(), output, code=0), result(script(JobType.BUILD), output, code=0)

    assert tested.tests is not None
    assert (tested.tests.passed, tested.tests.skipped, tested.message) == (3, 1, "All 3 tests passed.")
    assert (built.tests, built.message) == (None, "The build passed.")


def test_a_runner_that_says_it_ran_nothing_is_skipped() -> None:
    assert result(script(), capture("unittest-none.txt"), code=0).verdict is Verdict.SKIPPED


@pytest.mark.parametrize("name", ["node24-throw.txt", "python-chain.txt"])
def test_stacks_tell_of_a_failure_and_only_then(name: str) -> None:
    output = capture(name)

    failed, passed = result(script(JobType.BUILD), output), result(script(JobType.BUILD), output, code=0)

    assert len(failed.diagnostics) == 1
    assert passed.diagnostics == ()


def test_stacks_are_left_alone_where_something_else_explains_the_failure() -> None:
    found = result(script(JobType.BUILD), capture("tsc5.txt") + capture("node24-throw.txt"))

    assert [one.tool for one in found.diagnostics] == ["tsc"]


def test_a_stack_gives_a_file_that_could_not_be_run_its_place() -> None:
    report = {".chef/node.xml": capture("node24.xml")}
    plan = planned(JobType.TEST, package(test="node --test"))
    plan = attrs.evolve(plan, output_readers=tuple(OUTPUT_READERS))

    found = result(plan, capture("node24-spec.txt"), reports=report)

    broken = [one for one in found.diagnostics if one.file == "test/broken.test.js"]
    assert [(one.line, one.code, one.message) for one in broken] == [(3, "SyntaxError", "Unexpected token ';'")]
    assert len(found.diagnostics) == 4


def test_a_line_that_no_tool_tells_is_looked_up_in_the_file() -> None:
    plan = attrs.evolve(planned(JobType.TEST, package(("vitest",), test="vitest") | FILES), output_readers=())

    found = result(plan, b"", reports={".chef/vitest.json": capture("vitest5.json")})

    [missing] = [one for one in found.diagnostics if one.file == "src/missing.test.js"]
    assert missing.line == 2


def test_a_test_that_no_stack_places_is_where_its_title_stands() -> None:
    found = result(script(), capture("mocha12.txt"))

    [slow] = [one for one in found.diagnostics if one.message.startswith("never ends")]
    assert (slow.file, slow.line) == ("test/math.test.js", 1)


def test_paths_told_from_a_package_of_a_workspace_are_made_whole() -> None:
    found = result(script(JobType.BUILD), capture("tsc5.txt"))

    assert [one.file for one in found.diagnostics] == ["packages/shop/src/t.ts"]


def test_a_path_that_could_be_of_two_packages_stays_as_it_is() -> None:
    files = FILES | {"packages/site/src/t.ts": ""}

    found = result(script(JobType.BUILD, files), capture("tsc5.txt"))

    assert [one.file for one in found.diagnostics] == ["src/t.ts"]


def test_the_key_of_the_dependencies_is_told_to_nobody() -> None:
    key = "0123456789abcdef" * 2 + "01234567"

    found = result(script(JobType.BUILD), f"in /deps/{key}/node_modules/x/a.js and /deps/{key}\n".encode())

    assert found.output.head.endswith("in node_modules/x/a.js and .\n")


def test_a_failed_build_that_ran_tests_tells_of_them() -> None:
    found = result(script(JobType.BUILD), capture("mocha12.txt"))

    assert found.tests is not None
    assert (found.tests.failed, found.verdict) == (5, Verdict.FAILED)


def test_a_timed_out_run_keeps_what_was_read() -> None:
    plan = script(JobType.BUILD)
    record = Record(plan)
    for event in box(exits=(None,), output=capture("tsc5.txt"), complete=False):
        record.add(event)

    outcome = outcome_of(plan, record)

    assert outcome.status is not JobStatus.COMPLETED
    assert [one.tool for one in outcome.result.diagnostics] == ["tsc"]
