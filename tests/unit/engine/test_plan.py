from __future__ import annotations

import json
import time

import attrs
import pytest

from chef_supervisor.domain.job import JobStatus, JobType
from chef_supervisor.domain.outcome import Cause, Outcome, Verdict
from chef_supervisor.domain.toolchain import Each, Install, StepTemplate, Way
from chef_supervisor.engine.plan import Plan, plan
from tests.kit import sample_projects
from tests.unit.engine.samples import BUDGET, TOOLCHAINS, as_bytes, planned

CHEF_LINT = "tsc -p convex -noEmit --pretty false && tsc -p . -noEmit --pretty false && convex dev --once && vite build"
ONLY_REFERENCES = '{ "files": [], /* none */ "references": [{ "path": "./tsconfig.app.json" }, { "path": "web" },] }'


def package(dependencies: tuple[str, ...] = (), **scripts: str) -> dict[str, str]:
    declared = {"scripts": scripts, "devDependencies": dict.fromkeys(dependencies, "*")}
    return {"package.json": json.dumps(declared)}


def chef_project() -> dict[str, str]:
    return {
        **package(("vite", "typescript", "convex", "eslint"), build="vite build", lint=CHEF_LINT, dev="convex dev"),
        "tsconfig.json": '{"files": [], "references": [{"path": "./tsconfig.app.json"}]}',
        "tsconfig.app.json": "{}",
        "convex/tsconfig.json": "{}",
    }


RUNS = [
    ("build", package(build="tsc -b && vite build"), ["npm run build"]),
    ("build", package(("vite",)), ["node_modules/.bin/vite build"]),
    ("build", package(("vite",), build="convex deploy && vite build"), ["node_modules/.bin/vite build"]),
    (
        "build",
        package(("vite",), build="vite build", prebuild="npx convex dev --once"),
        ["node_modules/.bin/vite build"],
    ),
    ("build", package(("vite",), build="npm run all", all="convex deploy"), ["node_modules/.bin/vite build"]),
    ("build", chef_project(), ["npm run build"]),
    ("build", {"a.py": "1"}, [r"python3 -m compileall -q -x (^|/)(\.venv|venv|node_modules|\.git)/ ."]),
    ("test", package(test="mocha && echo fine"), ["npm run test"]),
    (
        "test",
        {**package(test="cross-env A=1 vitest --coverage"), "a.test.ts": ""},
        ["npm run test -- --run --reporter=default --reporter=json --outputFile.json=.chef/vitest.json"],
    ),
    (
        "test",
        {**package(("vitest",), test='echo "Error: no test specified" && exit 1'), "src/a.spec.tsx": ""},
        ["node_modules/.bin/vitest --run --reporter=default --reporter=json --outputFile.json=.chef/vitest.json"],
    ),
    (
        "test",
        {**package(test="jest --watch"), "src/__tests__/a.js": ""},
        ["npm run test -- --ci --watchAll=false --json --outputFile=.chef/jest.json"],
    ),
    (
        "test",
        {**package(), "test/a.js": 'import test from "node:test"'},
        [
            (
                "node --test --test-reporter=spec --test-reporter-destination=stdout"
                " --test-reporter=junit --test-reporter-destination=.chef/node.xml"
            )
        ],
    ),
    (
        "test",
        {**package(test="vitest run"), "vite.config.ts": "test: { include: ['checks/*.ts'] }"},
        ["npm run test -- --run --reporter=default --reporter=json --outputFile.json=.chef/vitest.json"],
    ),
    (
        "test",
        {"requirements.txt": "pytest", "test_a.py": ""},
        ["/deps/venv/bin/python -m pytest --color=no --junitxml=.chef/pytest.xml"],
    ),
    ("test", {"test_a.py": "import unittest"}, ["python3 -m unittest discover -v"]),
    (
        "test",
        {"test_a.py": "import os\ndef test_a(): ..."},
        ["/deps/venv/bin/python -m pytest --color=no --junitxml=.chef/pytest.xml"],
    ),
    ("lint", package(lint="eslint ."), ["npm run lint"]),
    (
        "lint",
        chef_project(),
        [
            "node_modules/.bin/tsc --noEmit -p tsconfig.app.json --pretty false",
            "node_modules/.bin/tsc --noEmit -p convex --pretty false",
        ],
    ),
    (
        "lint",
        {**package(("eslint",)), "eslint.config.js": ""},
        ["node_modules/.bin/eslint -f json -o .chef/eslint.json ."],
    ),
    (
        "lint",
        {**package(("typescript",)), "tsconfig.json": '{"include": ["src"]}', "tsconfig.app.json": "{}"},
        [
            "node_modules/.bin/tsc --noEmit -p tsconfig.app.json --pretty false",
            "node_modules/.bin/tsc --noEmit -p tsconfig.json --pretty false",
        ],
    ),
    (
        "lint",
        {**package(("typescript",)), "convex/tsconfig.json": "{}"},
        ["node_modules/.bin/tsc --noEmit -p convex --pretty false"],
    ),
    ("lint", package(("oxlint",)), ["node_modules/.bin/oxlint"]),
    (
        "lint",
        {**package(("@biomejs/biome",)), "biome.json": "{}"},
        ["node_modules/.bin/biome lint --reporter=github ."],
    ),
    (
        "lint",
        {**package(("typescript",)), "tsconfig.json": ONLY_REFERENCES, "web/tsconfig.json": "{}"},
        ["node_modules/.bin/tsc --noEmit -p web/tsconfig.json --pretty false"],
    ),
    (
        "lint",
        {**package(("typescript",)), "tsconfig.json": "{ broken"},
        ["node_modules/.bin/tsc --noEmit -p tsconfig.json --pretty false"],
    ),
    (
        "lint",
        {"pyproject.toml": "[tool.ruff]\n", "a.py": ""},
        ["/deps/venv/bin/python -m ruff check --no-cache --output-format=json --output-file=.chef/ruff.json ."],
    ),
    (
        "lint",
        {"requirements-dev.txt": "MyPy>=1\nflake8", "a.py": ""},
        [
            "/deps/venv/bin/python -m flake8 --extend-exclude=.venv,venv,node_modules",
            "/deps/venv/bin/python -m mypy --show-column-numbers --no-error-summary --cache-dir=/dev/null .",
        ],
    ),
]


@pytest.mark.parametrize(("job_type", "files", "commands"), RUNS)
def test_the_steps_of_a_project_are_those_that_answer(
    job_type: str, files: dict[str, str], commands: list[str]
) -> None:
    found = planned(JobType(job_type), files)

    assert commands == [" ".join(step.argv) for step in found.run.steps]


SKIPS = [
    ("build", package(), Cause.NO_SCRIPT),
    ("build", {"pyproject.toml": ""}, Cause.NO_SCRIPT),
    ("test", package(), Cause.NO_TESTS),
    ("test", package(test='echo "Error: no test specified" && exit 1'), Cause.NO_TESTS),
    ("test", package(test="vitest run"), Cause.NO_TESTS),
    ("test", package(("vitest",)), Cause.NO_TESTS),
    ("test", sample_projects.without_tests(sample_projects.load("web")), Cause.NO_TESTS),
    ("test", sample_projects.without_tests(sample_projects.load("python")), Cause.NO_TESTS),
    ("lint", package(), Cause.NO_SCRIPT),
    ("lint", package(("eslint",), lint="convex dev --once"), Cause.NO_SCRIPT),
    ("lint", {"a.py": ""}, Cause.NO_SCRIPT),
]


@pytest.mark.parametrize(("job_type", "files", "cause"), SKIPS)
def test_nothing_to_do_is_told_before_anything_runs(job_type: str, files: dict[str, str], cause: Cause) -> None:
    found = plan(JobType(job_type), as_bytes(files), TOOLCHAINS, BUDGET)

    assert isinstance(found, Outcome)
    assert (JobStatus.COMPLETED, Verdict.SKIPPED, cause) == (found.status, found.result.verdict, found.result.cause)
    assert found.result.message in found.result.summary


@pytest.mark.parametrize("files", [{}, {"readme.md": ""}, {"deep/package.json": "{}"}])
def test_a_project_that_no_toolchain_knows_fails_and_says_what_was_looked_for(files: dict[str, str]) -> None:
    found = plan(JobType.BUILD, as_bytes(files), TOOLCHAINS, BUDGET)

    assert isinstance(found, Outcome)
    assert (found.status, found.result.cause) == (JobStatus.FAILED, Cause.NO_TOOLCHAIN)
    assert "package.json" in found.result.message
    assert "requirements" in found.result.message


def test_analyze_without_anything_to_check_is_its_inventory() -> None:
    found = plan(JobType.ANALYZE, as_bytes(package(("left-pad",))), TOOLCHAINS, BUDGET)

    assert isinstance(found, Outcome)
    assert (found.status, found.result.verdict) == (JobStatus.COMPLETED, Verdict.PASSED)
    assert "1 dependencies declared" in found.result.summary


@pytest.mark.parametrize(
    ("more", "command"),
    [
        ({"package-lock.json": "{}"}, "npm ci --ignore-scripts --no-audit --no-fund --no-progress"),
        ({"npm-shrinkwrap.json": "{}"}, "npm ci --ignore-scripts --no-audit --no-fund --no-progress"),
        ({}, "npm install --ignore-scripts --no-audit --no-fund --no-progress"),
    ],
)
def test_an_install_sees_manifests_only_and_is_linked(more: dict[str, str], command: str) -> None:
    files = {**package(("vite",)), ".npmrc": "", "patches/a.patch": "", "src/secret.ts": "", **more}

    found = planned(JobType.BUILD, files)

    assert found.install is not None
    assert [command] == [" ".join(step.argv) for step in found.install.steps]
    assert {"package.json", ".npmrc", "patches/a.patch", *more} == set(found.install.files)
    assert (found.install.root, found.run.root, found.run.links_from) == ("/deps", "/workspace", "/deps")
    assert (found.install.timeout_s, found.run.timeout_s) == (30, 60)


def test_without_dependencies_nothing_is_installed_nor_linked() -> None:
    found = planned(JobType.BUILD, package(build="node build.js"))

    assert found.install is None
    assert found.run.links_from is None


def test_sent_node_modules_give_way_to_installed_ones() -> None:
    found = planned(JobType.BUILD, {**package(("vite",)), "node_modules/vite/package.json": "{}"})

    assert "node_modules/vite/package.json" not in found.run.files
    assert any("node_modules" in warning for warning in found.warnings)


def test_a_project_without_gitignore_gets_one_and_its_own_stays() -> None:
    bare = planned(JobType.LINT, package(("oxlint",)))
    own = planned(JobType.LINT, {**package(("oxlint",)), ".gitignore": "mine"})

    assert b"node_modules\n" in bare.run.files[".gitignore"]
    assert own.run.files[".gitignore"] == b"mine"


def test_pip_installs_what_is_declared_but_never_the_project() -> None:
    files = {
        "pyproject.toml": (
            '[project]\ndependencies = ["attrs", "local @ file:./x", "two\\nlines"]\n'
            'optional-dependencies = { test = ["pytest>=8"], gpu = ["torch"] }\n'
            '[dependency-groups]\ndev = ["ruff", { include-group = "typing" }]\ntyping = ["mypy"]\ndocs = ["sphinx"]\n'
        ),
        "requirements.txt": "\ufeffflask\n-e .\n./folder\n--editable=git+x\n-r more/base.txt\nhttpx \\\n ==1\n",
        "requirements-gpu.txt": "cupy",
        "test_a.py": "",
    }

    found = planned(JobType.TEST, files)

    assert found.install is not None
    assert found.install.files["chef-requirements.txt"] == b"-r requirements.txt\nattrs\npytest>=8\nruff\nmypy\n"
    assert found.install.files["requirements.txt"] == b"flask\n-r more/base.txt\nhttpx   ==1\n"
    assert "pyproject.toml" not in found.install.files
    assert any("-e ." in warning for warning in found.warnings)


def test_pytest_is_added_where_tests_need_it() -> None:
    found = planned(JobType.TEST, {"requirements.txt": "flask", "test_a.py": "\ndef test_a(): ..."})

    assert found.install is not None
    assert found.install.files["chef-requirements.txt"] == b"-r requirements.txt\npytest\n"


def test_uv_syncs_from_its_lock_file() -> None:
    pyproject = '[project]\nname = "a"\noptional-dependencies = { dev = [], gpu = [] }\n'
    files = {"pyproject.toml": pyproject, "uv.lock": "", "test_a.py": "", "requirements.txt": "flask"}

    found = planned(JobType.TEST, files)

    assert found.install is not None
    assert [" ".join(step.argv) for step in found.install.steps] == [
        "uv sync --frozen --no-install-project --no-install-workspace --all-groups --extra dev",
        "uv pip install --python /deps/venv/bin/python pytest",
    ]
    assert {"pyproject.toml", "uv.lock"} == set(found.install.files)
    assert found.install.env["UV_PROJECT_ENVIRONMENT"] == "/deps/venv"


@pytest.mark.parametrize("content", ["{", "[]", '{"scripts": 3, "dependencies": []}', "[" * 100_000, "\x00"])
def test_a_broken_package_json_is_planned_without_raising(content: str) -> None:
    found = plan(JobType.ANALYZE, as_bytes({"package.json": content}), TOOLCHAINS, BUDGET)

    assert isinstance(found, Outcome)


@pytest.mark.parametrize("content", ["a = " + "[" * 5000, "=", "a = 1\n" * 60_000, "\udcff"])
def test_a_broken_pyproject_is_a_warning(content: str) -> None:
    files = {"pyproject.toml": content.encode("utf-8", "surrogateescape"), "a.py": b"", "test_a.py": b""}

    found = plan(JobType.TEST, files, TOOLCHAINS, BUDGET)

    assert isinstance(found, Plan)
    assert any("pyproject.toml cannot be read" in warning for warning in found.warnings)


def test_scripts_that_start_each_other_take_no_time_to_speak_of() -> None:
    everything = " ".join(f"s{number}* *{number}" for number in range(400))
    scripts = {f"s{number}": f"npm-run-all {everything}"[:4000] for number in range(400)}
    started = time.perf_counter()

    found = planned(JobType.BUILD, package((), build="npm-run-all s*", **scripts))

    assert [" ".join(step.argv) for step in found.run.steps] == ["npm run build"]
    assert time.perf_counter() - started < 1


def test_warnings_about_a_project_are_clean_text() -> None:
    found = planned(JobType.TEST, {"requirements.txt": "-e \x1b[31m./\x00x\npytest", "test_a.py": ""})

    assert found.warnings == ("not installed, because it is part of the project or a folder: -e ./x",)


def test_a_way_whose_steps_all_fall_away_is_skipped() -> None:
    step = StepTemplate(name="check", each=Each.TSCONFIG, run=("tsc", "{each}"))
    toolchain = attrs.evolve(TOOLCHAINS[0], jobs={JobType.LINT: (Way(steps=(step,)),)})

    found = plan(JobType.LINT, as_bytes(package()), [toolchain], BUDGET)

    assert isinstance(found, Outcome)
    assert found.result.cause is Cause.NO_SCRIPT


def test_a_toolchain_may_have_no_way_to_install() -> None:
    toolchain = attrs.evolve(TOOLCHAINS[0], install=Install(sees=(), ways=()))

    found = plan(JobType.BUILD, as_bytes(package(("vite",))), [toolchain], BUDGET)

    assert isinstance(found, Plan)
    assert found.install is None


def test_another_managers_lock_file_is_told_of() -> None:
    found = planned(JobType.BUILD, {**package(("vite",)), "yarn.lock": ""})

    assert any("another package manager" in warning for warning in found.warnings)


def test_steps_and_their_readers_go_together() -> None:
    found = planned(JobType.LINT, {"pyproject.toml": "[tool.ruff]", "requirements.txt": "mypy"})

    assert [one.step for one in found.steps] == list(found.run.steps)
    assert found.run.reports == (".chef/ruff.json",)
    assert all(step.keep_going for step in found.run.steps)
    assert attrs.fields_dict(Plan).keys() >= {"install", "run"}
