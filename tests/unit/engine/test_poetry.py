"""Projects of Poetry, and what uv says of where packages come from."""

from __future__ import annotations

import pytest

from chef_supervisor.domain.job import JobType
from chef_supervisor.engine.plan import Plan
from tests.unit.engine.samples import planned

LOCK = """
[[package]]
name = "attrs"
version = "22.1.0"
groups = ["main"]
files = [{file = "attrs-22.1.0.whl", hash = "sha256:00aa"}, {file = "attrs-22.1.0.tar.gz", hash = "sha256:00bb"}]

[[package]]
name = "local"
version = "1.0"
files = []
[package.source]
type = "directory"
url = "../local"

[[package]]
name = "numpy"
version = "1.26"

[[package]]
name = "numpy"
version = "2.1"

[[package]]
name = "evil\\n-r https://evil.example"
version = "1"

[metadata]
lock-version = "2.1"
"""


def poetry(declared: str, **files: str) -> Plan:
    return planned(JobType.TEST, {"pyproject.toml": declared, "test_a.py": "import pytest", **files})


def asked_for(found: Plan) -> list[str]:
    assert found.install is not None
    return found.install.work.files["chef-requirements.txt"].decode().splitlines()


@pytest.mark.parametrize(
    ("declared", "line"),
    [
        ('"^1.2.3"', "x>=1.2.3,<2"),
        ('"^0.2.3"', "x>=0.2.3,<0.3"),
        ('"^0.0.3"', "x>=0.0.3,<0.0.4"),
        ('"^0"', "x>=0,<1"),
        ('"~1.2.3"', "x>=1.2.3,<1.3"),
        ('"~1"', "x>=1,<2"),
        ('"~=1.4"', "x~=1.4"),
        ('"*"', "x"),
        ('"1.2"', "x==1.2"),
        ('"1.2.*"', "x==1.2.*"),
        ('">=1, <3, !=2"', "x>=1,<3,!=2"),
        ('"^1 || ^2"', "x>=2,<3"),
        ('{ version = "^1", extras = ["a", "b"] }', "x[a,b]>=1,<2"),
        ('{ version = "1", markers = "sys_platform == \'win32\'" }', "x==1 ; (sys_platform == 'win32')"),
        ('{ version = "*", python = ">=3.8,<4" }', "x ; (python_version >= '3.8' and python_version < '4')"),
    ],
)
def test_a_dependency_is_said_in_the_words_of_pip(declared: str, line: str) -> None:
    found = poetry(f'[tool.poetry.dependencies]\npython = "^3.11"\nx = {declared}\n')

    assert asked_for(found)[0] == line


def test_of_groups_and_extras_those_are_installed_that_checking_needs() -> None:
    found = poetry(
        '[tool.poetry.dependencies]\na = "*"\nb = { version = "1", optional = true }\nc = { version = "1", optional = true }\n'
        '[tool.poetry.extras]\ntest = ["b"]\ngpu = ["c"]\n[tool.poetry.dev-dependencies]\nd = "*"\n'
        '[tool.poetry.group.dev.dependencies]\npytest = "*"\n[tool.poetry.group.docs.dependencies]\nsphinx = "*"\n'
    )

    assert asked_for(found) == ["a", "b==1", "d", "pytest"]


@pytest.mark.parametrize(
    "place", ['git = "https://git.example/x"', 'path = "../x"', 'url = "https://x.example/x.tar.gz"']
)
def test_what_would_have_to_be_built_is_left_out_and_told(place: str) -> None:
    found = poetry(f"[tool.poetry.dependencies]\nx = {{ {place} }}\npytest = '*'\n")

    assert asked_for(found) == ["pytest"]
    assert any(warning.startswith("not installed, because") for warning in found.warnings)


def test_a_lock_file_holds_versions_and_digests() -> None:
    found = poetry('[tool.poetry.dependencies]\nattrs = "^22"\npytest = "*"\n', **{"poetry.lock": LOCK})

    assert found.toolchain == "poetry"
    assert found.install is not None
    assert found.install.locked
    assert found.install.work.files["chef-constraints.txt"] == b"attrs==22.1.0 --hash=sha256:00aa --hash=sha256:00bb\n"
    assert found.install.work.steps[-1].argv[-2:] == ("--constraints", "chef-constraints.txt")
    assert any("several versions of numpy" in warning for warning in found.warnings)


@pytest.mark.parametrize("lock", ["=", "a = " + "[" * 5000, "x = 1\n" * 800_000])
def test_a_lock_file_that_cannot_be_read_is_a_warning(lock: str) -> None:
    found = poetry('[tool.poetry.dependencies]\npytest = "*"\n', **{"poetry.lock": lock})

    assert any("poetry.lock cannot be read" in warning for warning in found.warnings)


WORKSPACE = (
    '[project]\nname = "app"\ndependencies = ["lib", "attrs", "private"]\n'
    '[tool.uv.workspace]\nmembers = ["packages/*"]\nexclude = ["packages/old"]\n'
    '[tool.uv.sources]\nlib = { workspace = true }\nprivate = { git = "https://git.example/private" }\n'
)


def test_members_of_a_workspace_are_found_in_their_folders_and_never_asked_of_an_index() -> None:
    files = {
        "pyproject.toml": WORKSPACE,
        "packages/lib/pyproject.toml": '[project]\nname = "lib"\ndependencies = ["httpx"]\n',
        "packages/old/pyproject.toml": '[project]\nname = "old"\ndependencies = ["six"]\n',
        "test_a.py": "import unittest",
    }

    found = planned(JobType.TEST, files)

    assert asked_for(found) == ["attrs", "httpx"]
    assert found.run.env["PYTHONPATH"].split(":") == [
        "/workspace/src", "/workspace", "/workspace/packages/lib/src", "/workspace/packages/lib",
    ]  # fmt: skip
    assert any("git+https://git.example/private" in warning for warning in found.warnings)


def test_uv_is_asked_for_no_version_of_python() -> None:
    pinned = '[project]\nname = "a"\nrequires-python = ">=3.13"\ndependencies = ["attrs"]\n'
    files = {
        "pyproject.toml": pinned,
        "uv.lock": 'version = 1\nrequires-python = ">=3.13"\n',
        "test_a.py": "import pytest",
    }

    found = planned(JobType.TEST, files)

    assert found.install is not None
    assert b"3.13" not in b"".join(found.install.work.files.values())
    assert found.run.files["pyproject.toml"] == pinned.encode()


def test_requirements_with_digests_are_a_lock_file() -> None:
    loose = planned(JobType.TEST, {"requirements.txt": "pytest", "test_a.py": "import pytest"})
    locked = planned(JobType.TEST, {"requirements.txt": "pytest==8 --hash=sha256:00", "test_a.py": "import pytest"})

    assert loose.install is not None
    assert locked.install is not None
    assert (loose.install.locked, loose.install.work.artifact_globs) == (False, ("requirements.lock.txt",))
    assert (locked.install.locked, locked.install.work.artifact_globs) == (True, ())
