from __future__ import annotations

import json

import pytest

from chef_supervisor.domain.job import JobType
from chef_supervisor.engine.manifests.pin import Pin, meets, unserved
from tests.unit.engine.samples import planned

NODE, PYTHON = "24.19.0", "3.11.2"


@pytest.mark.parametrize(
    ("version", "wanted"),
    [
        *(
            (NODE, wanted)
            for wanted in (">=18", ">=18.0.0 <25", "^24", "^24.1.0", "24", "24.x", "v24.2.1", "*", "x", ">20")
        ),
        *(
            (NODE, wanted)
            for wanted in ("^18 || ^20 || >=22", "18 - 24", "~24.19", "<=24", "lts/*", "current", "", "node")
        ),
        *((NODE, wanted) for wanted in (">= 18", "20 || 24", "18.x || 20.x || 24.x", "!=20")),
        *(
            (PYTHON, wanted)
            for wanted in (">=3.8", ">=3.11,<4", "==3.11.*", "3.11", "3.11.9", "~=3.10", "^3.10", "!=3.10.*")
        ),
        ("10.34.9", "10.1.0+sha512.00ff"),
    ],
)
def test_what_our_version_meets(version: str, wanted: str) -> None:
    assert meets(version, wanted)


@pytest.mark.parametrize(
    ("version", "wanted"),
    [
        *(
            (NODE, wanted)
            for wanted in ("20", "v22.3.0", "^22", ">=25", "<24", "18 || 20", "18 - 22", "~24.20", ">24", "18.x")
        ),
        *(
            (PYTHON, wanted)
            for wanted in (">=3.12", "<3.11", "==3.12.*", "3.12", "3.10.4", "~=3.12", "^3.12", ">=3.8,!=3.11.*")
        ),
        ("10.34.9", "9.1.0"),
    ],
)
def test_what_it_does_not_meet(version: str, wanted: str) -> None:
    assert not meets(version, wanted)


def test_a_program_that_nobody_knows_the_version_of_is_not_spoken_of() -> None:
    pins = [Pin("node", "v20.1.0+x", ".nvmrc"), Pin("deno", "99", "engines")]

    assert unserved(pins, {"node": NODE}) == [".nvmrc asks for node 20.1.0; node 24.19.0 was used"]


@pytest.mark.parametrize(
    ("files", "warning"),
    [
        ({"package.json": "{}", ".nvmrc": "v20\n"}, ".nvmrc asks for node 20; node 24.19.0 was used"),
        ({"package.json": "{}", ".node-version": "18.1"}, ".node-version asks for node 18.1; node 24.19.0 was used"),
        (
            {"package.json": json.dumps({"packageManager": "pnpm@9.1.0+sha512.ab"})},
            "packageManager asks for pnpm 9.1.0; pnpm 10.34.9 was used",
        ),
        (
            {"package.json": json.dumps({"packageManager": "yarn@3.6.0"})},
            "packageManager asks for yarn 3.6.0; yarn 4.18.1 was used",
        ),
        ({".python-version": "3.13\n", "a.py": ""}, ".python-version asks for python 3.13; python 3.11.2 was used"),
        (
            {"pyproject.toml": "[project]\nrequires-python = '>=3.12'\n", "a.py": ""},
            "requires-python asks for python >=3.12; python 3.11.2 was used",
        ),
        (
            {"pyproject.toml": "[tool.poetry.dependencies]\npython = '^3.12'\n", "a.py": ""},
            "tool.poetry.dependencies asks for python ^3.12; python 3.11.2 was used",
        ),
    ],
)
def test_a_pin_that_the_image_cannot_serve_is_told_of(files: dict[str, str], warning: str) -> None:
    job = JobType.ANALYZE if "package.json" in files else JobType.BUILD

    assert warning in planned(job, files).warnings
