"""How dependencies are installed: what the install sees, its commands, and what is left out of it."""

from __future__ import annotations

import attrs
import pytest

from chef_supervisor.domain.assignment import Assignment
from chef_supervisor.domain.job import JobType
from chef_supervisor.domain.toolchain import Install
from chef_supervisor.engine.plan import Plan, plan
from tests.unit.engine.samples import BUDGET, BY_NAME, TOOLCHAINS, as_bytes, package, planned


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
    assert [command] == [" ".join(step.argv) for step in found.install.work.steps]
    assert {"package.json", ".npmrc", "patches/a.patch", *more} == set(found.install.work.files)
    assert (found.install.work.root, found.run.root, found.run.links_from) == ("{deps}", "/workspace", "{deps}")
    assert (found.install.work.timeout_s, found.run.timeout_s) == (30, 60)


NPMRC_KEPT = (
    "registry=https://npm.example/",
    "@me:registry = https://npm.example/me/",
    "//npm.example/me/:_authToken=${TOKEN}",
    "legacy-peer-deps=true",
    "omit[]=optional",
)


@pytest.mark.parametrize(
    "line",
    [
        "git=npx",
        " git = npx",
        '"git"=npx',
        "'git'=npx",
        "\\git=npx",
        "${HOME}git=npx",
        "git[]=npx",
        "script-shell=./patches/x",
        "node-options=--require ./patches/x.js",
        "ignore-scripts=false",
        "userconfig=patches/npmrc",
        "globalconfig=patches/npmrc",
        "prefix=patches",
        "[section]",
        "registry\\=x\u2028git=npx",
    ],
)
def test_an_install_goes_by_no_setting_that_could_run_the_projects_code(line: str) -> None:
    settings = "\r\n".join(["; a comment", *NPMRC_KEPT, line, ""])

    found = planned(JobType.BUILD, {**package(("vite",)), ".npmrc": settings})

    assert found.install is not None
    assert found.install.work.files[".npmrc"].decode().splitlines() == list(NPMRC_KEPT)
    assert found.run.files[".npmrc"] == settings.encode()
    assert any(warning.startswith(".npmrc: not used") for warning in found.warnings)


def test_settings_of_an_unreadable_project_are_looked_at_too() -> None:
    files = {"package.json": "{", "a.test.mjs": "import 'node:test'", ".npmrc": "git=npx"}

    found = planned(JobType.TEST, files)

    assert found.install is not None
    assert found.install.work.files[".npmrc"] == b""


def test_secrets_of_the_settings_stand_in_no_warning() -> None:
    found = planned(JobType.BUILD, {**package(("vite",)), ".npmrc": "git=s3cret\n_authToken=s3cret"})

    assert not any("s3cret" in warning for warning in found.warnings)


def test_without_dependencies_nothing_is_installed_nor_linked() -> None:
    found = planned(JobType.BUILD, package(build="node build.js"))

    assert found.install is None
    assert found.run.links_from is None


def test_sent_node_modules_give_way_to_installed_ones() -> None:
    found = planned(JobType.BUILD, {**package(("vite",)), "node_modules/vite/package.json": "{}"})

    assert "node_modules/vite/package.json" not in found.run.files
    assert any("node_modules" in warning for warning in found.warnings)


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
    assert found.install.work.files["chef-requirements.txt"] == b"-r requirements.txt\nattrs\npytest>=8\nruff\nmypy\n"
    assert found.install.work.files["requirements.txt"] == b"flask\n-r more/base.txt\nhttpx   ==1\n"
    assert "pyproject.toml" not in found.install.work.files
    assert any("-e ." in warning for warning in found.warnings)


def test_pytest_is_added_where_tests_need_it() -> None:
    found = planned(JobType.TEST, {"requirements.txt": "flask", "test_a.py": "\ndef test_a(): ..."})

    assert found.install is not None
    assert found.install.work.files["chef-requirements.txt"] == b"-r requirements.txt\npytest\n"


def test_uv_syncs_from_its_lock_file() -> None:
    pyproject = '[project]\nname = "a"\noptional-dependencies = { dev = [], gpu = [] }\n'
    files = {"pyproject.toml": pyproject, "uv.lock": "", "test_a.py": "import pytest", "requirements.txt": "flask"}

    found = planned(JobType.TEST, files)

    assert found.install is not None
    assert [" ".join(step.argv) for step in found.install.work.steps] == [
        "uv sync --frozen --all-packages --no-install-workspace --no-build --all-groups --extra dev",
        "uv pip install --no-build --python {deps}/venv/bin/python pytest",
    ]
    assert {"pyproject.toml", "uv.lock"} == set(found.install.work.files)
    assert found.install.work.env["UV_PROJECT_ENVIRONMENT"] == "{deps}/venv"


def test_warnings_about_a_project_are_clean_text() -> None:
    found = planned(JobType.TEST, {"requirements.txt": "-e \x1b[31m./\x00x\npytest", "test_a.py": ""})

    assert found.warnings == ("not installed, because it is part of the project or a folder: -e ./x",)


def test_a_toolchain_may_have_no_way_to_install() -> None:
    toolchain = attrs.evolve(BY_NAME["npm"], install=Install(sees=(), ways=()))

    found = plan(JobType.BUILD, Assignment(files=as_bytes(package(("vite",)))), [toolchain], BUDGET)

    assert isinstance(found, Plan)
    assert found.install is None


def test_another_managers_lock_file_is_told_of() -> None:
    found = planned(JobType.BUILD, {**package(("vite",)), "yarn.lock": "", "package-lock.json": "{}"})

    assert any("another package manager" in warning for warning in found.warnings)


@pytest.mark.parametrize(
    "line",
    [
        "x @ https://files.example/x.tar.gz",
        "x[extra]@git+https://git.example/x",
        "git+ssh://git.example/x#egg=x",
        "https://files.example/x.zip",
        "  hg+http://hg.example/x",
        "x @ https://files.example/x.whl.tar.gz",
        "--no-binary=:all:",
        "--no-binary :all:",
        "--config-settings=x=y",
        "-e .",
    ],
)
@pytest.mark.parametrize("listed_in", ["requirements.txt", "constraints.txt"])
def test_no_requirement_makes_pip_build_anything(line: str, listed_in: str) -> None:
    files = as_bytes(
        {"requirements.txt": "pytest\n", listed_in: f"pytest\n{line}\n", "test_a.py": "def test_a(): pass"}
    )

    found = plan(JobType.TEST, Assignment(files=files), TOOLCHAINS, BUDGET)

    assert isinstance(found, Plan)
    assert found.install is not None
    assert line.strip() not in b"".join(found.install.work.files.values()).decode()
    assert any(line.strip() in warning for warning in found.warnings)
    assert "--only-binary=:all:" in found.install.work.steps[1].argv


@pytest.mark.parametrize(
    "line",
    [
        "x @ https://files.example/x-1-py3-none-any.whl",
        "https://files.example/x-1-py3-none-any.whl#sha256=00",
        "--extra-index-url https://index.example/simple",
        "-c constraints.txt",
        "x==1 --hash=sha256:00",
        "x>=1; python_version > '3'",
    ],
)
def test_what_needs_no_build_stays_as_it_is(line: str) -> None:
    files = as_bytes({"requirements.txt": f"pytest\n{line}\n", "test_a.py": "def test_a(): pass"})

    found = plan(JobType.TEST, Assignment(files=files), TOOLCHAINS, BUDGET)

    assert isinstance(found, Plan)
    assert found.install is not None
    assert line in found.install.work.files["requirements.txt"].decode()


@pytest.mark.parametrize(
    "text",
    [
        "def test_a():\n    pass\n",
        "async def test_a():\n    pass\n",
        "import sums\n\ndef test_a():\n    pass\n",
        "class TestA:\n    def test_a(self):\n        pass\n",
        "import pytest\n",
    ],
)
@pytest.mark.parametrize("lock", [{}, {"uv.lock": "", "pyproject.toml": "[project]\nname = 'a'\n"}])
def test_where_pytest_runs_the_tests_it_is_installed(text: str, lock: dict[str, str]) -> None:
    found = planned(JobType.TEST, {"test_a.py": text, **lock})

    assert "pytest" in found.run.steps[-1].argv
    assert found.install is not None
    asked_for = [
        *found.install.work.files.values(),
        *(" ".join(step.argv).encode() for step in found.install.work.steps),
    ]
    assert any(b"pytest" in text for text in asked_for)


def test_tests_of_the_standard_library_install_nothing() -> None:
    text = "import unittest\n\nclass TestA(unittest.TestCase):\n    def test_a(self):\n        pass\n"

    found = planned(JobType.TEST, {"test_a.py": text})

    assert found.install is None
