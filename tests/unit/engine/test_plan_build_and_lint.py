"""How a project is built and linted; how it is tested stands in test_plan_steps."""

from __future__ import annotations

import pytest

from chef_supervisor.domain.job import JobType
from tests.unit.engine.samples import package, planned

CHEF_LINT = "tsc -p convex -noEmit --pretty false && tsc -p . -noEmit --pretty false && convex dev --once && vite build"


ONLY_REFERENCES = '{ "files": [], /* none */ "references": [{ "path": "./tsconfig.app.json" }, { "path": "web" },] }'


def chef_project() -> dict[str, str]:
    return {
        **package(("vite", "typescript", "convex", "eslint"), build="vite build", lint=CHEF_LINT, dev="convex dev"),
        "tsconfig.json": '{"files": [], "references": [{"path": "./tsconfig.app.json"}]}',
        "tsconfig.app.json": "{}",
        "convex/tsconfig.json": "{}",
    }


RUNS = [
    ("build", package(build="tsc -b && vite build"), ["sh -c tsc -b && vite build"]),
    ("build", package(("vite",)), ["node_modules/.bin/vite build"]),
    ("build", package(("vite",), build="convex deploy && vite build"), ["node_modules/.bin/vite build"]),
    (
        "build",
        package(("vite",), build="vite build", prebuild="npx convex dev --once"),
        ["node_modules/.bin/vite build"],
    ),
    ("build", package(("vite",), build="npm run all", all="convex deploy"), ["node_modules/.bin/vite build"]),
    ("build", chef_project(), ["sh -c vite build"]),
    ("build", package(("vite",), build="npm run all", all="pnpm convex codegen"), ["node_modules/.bin/vite build"]),
    ("build", {**package(("next",)), "app/page.tsx": ""}, ["node_modules/.bin/next build"]),
    ("build", package(("webpack", "webpack-cli")), ["node_modules/.bin/webpack build"]),
    ("build", {**package(("rollup",)), "rollup.config.mjs": ""}, ["node_modules/.bin/rollup -c"]),
    ("build", {**package(("rolldown",)), "rolldown.config.ts": ""}, ["node_modules/.bin/rolldown -c"]),
    ("build", {**package(("parcel",)), "index.html": ""}, ["node_modules/.bin/parcel build --no-cache index.html"]),
    ("build", package(("tsup",)), ["node_modules/.bin/tsup"]),
    (
        "build",
        {**package(("typescript",)), "tsconfig.json": '{"include": ["src"]}'},
        ["node_modules/.bin/tsc -b --pretty false"],
    ),
    (
        "build",
        {**package(("typescript",)), "tsconfig.json": '{"compilerOptions": {"noEmit": true}}'},
        ["node_modules/.bin/tsc --noEmit -p tsconfig.json --pretty false"],
    ),
    (
        "build",
        {**package(("typescript", "convex"), build="convex deploy"), "convex/tsconfig.json": "{}"},
        ["node_modules/.bin/tsc --noEmit -p convex --pretty false"],
    ),
    ("build", {"index.html": "<p>"}, ["test -s index.html"]),
    ("build", {"a.py": "1"}, [r"python3 -m compileall -q -x (^|/)(\.venv|venv|node_modules|\.git)/ ."]),
    ("lint", package(lint="eslint ."), ["sh -c eslint ."]),
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
    ("lint", {**package(), "a.js": ""}, ["oxlint"]),
    ("lint", {**package(("eslint",), lint="convex dev --once"), "a.js": ""}, ["oxlint"]),
    (
        "lint",
        {**package(("eslint", "stylelint")), ".eslintrc.json": "{}", ".stylelintrc": "{}"},
        [
            "node_modules/.bin/eslint -f json -o .chef/eslint.json .",
            (
                "node_modules/.bin/stylelint **/*.{css,scss,sass,less} --allow-empty-input"
                " --formatter json --output-file .chef/stylelint.json"
            ),
        ],
    ),
    (
        "lint",
        {"a.py": ""},
        [
            "ruff check --exit-zero --no-cache --output-format=json --output-file=.chef/ruff.json .",
            r"python3 -m compileall -q -x (^|/)(\.venv|venv|node_modules|\.git)/ .",
        ],
    ),
    (
        "lint",
        {"mypy.ini": "", "a.py": ""},
        ["{deps}/venv/bin/python -m mypy --show-column-numbers --no-error-summary --cache-dir=/dev/null ."],
    ),
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
        ["{deps}/venv/bin/python -m ruff check --no-cache --output-format=json --output-file=.chef/ruff.json ."],
    ),
    (
        "lint",
        {"requirements-dev.txt": "MyPy>=1\nflake8", "a.py": ""},
        [
            "{deps}/venv/bin/python -m flake8 --extend-exclude=.venv,venv,node_modules",
            "{deps}/venv/bin/python -m mypy --show-column-numbers --no-error-summary --cache-dir=/dev/null .",
        ],
    ),
]


@pytest.mark.parametrize(("job_type", "files", "commands"), RUNS)
def test_the_steps_of_a_project_are_those_that_answer(
    job_type: str, files: dict[str, str], commands: list[str]
) -> None:
    found = planned(JobType(job_type), files)

    assert commands == [" ".join(step.argv) for step in found.run.steps]


def test_a_script_that_needs_a_deployment_is_told_of() -> None:
    found = planned(JobType.LINT, chef_project())

    assert "the script 'lint' was not run: it needs a Convex deployment" in found.warnings


def test_our_linter_needs_no_dependencies_and_its_findings_are_advice() -> None:
    found = planned(JobType.LINT, {"a.py": "", "requirements.txt": "attrs"})

    assert found.install is None
    assert [one.advisory for one in found.steps] == [True, False]
