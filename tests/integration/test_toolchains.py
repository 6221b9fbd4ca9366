"""What toolchains say of the image is true there, and projects of every package manager install, build and test in it."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import attrs
import pytest
import pytest_asyncio

from chef_supervisor.domain.assignment import Assignment
from chef_supervisor.domain.job import JobType
from chef_supervisor.domain.work import Work
from chef_supervisor.engine.install import at
from chef_supervisor.engine.plan import Budget, Plan, plan
from chef_supervisor.engine.toolchains import load_toolchains
from chef_supervisor.sandboxes.docker import DockerSandbox
from chef_supervisor.sandboxes.sandbox import Dependencies, Limits, Role
from tests.integration.sandboxes.boxes import Heard, run, shell, work
from tests.integration.sandboxes.conftest import docker_config

pytestmark = [pytest.mark.asyncio, pytest.mark.docker]

TOOLCHAINS: Final = load_toolchains(Path(__file__).parents[2] / "config" / "toolchains")
BY_NAME: Final = {one.name: one for one in TOOLCHAINS}
ROOMY: Final = Limits(memory_bytes=1 << 30, cpus=2, pids=256, workspace_bytes=512 << 20)
PLACE: Final = "/deps/entry"
# Of the image, which was built to trust what this network needs.
CERTIFICATES: Final = "/etc/ssl/certs/ca-certificates.crt"

NODE: Final = {
    "src/main.js": 'import isOdd from "is-odd"; console.log(isOdd(3));',
    "test/odd.test.js": (
        'import assert from "node:assert"; import { test } from "node:test"; import isOdd from "is-odd";\n'
        'test("three", () => assert.equal(isOdd(3), true)); test("two", () => assert.equal(isOdd(2), true));\n'
    ),
}
TESTS: Final = "import attrs\n\ndef test_good(): assert attrs\n\ndef test_bad(): assert not attrs\n"


@pytest_asyncio.fixture
async def sandbox() -> AsyncIterator[DockerSandbox]:
    made = DockerSandbox(docker_config())
    yield made
    await made.close()


@pytest.mark.parametrize(
    ("toolchain", "program", "command"),
    [
        *(("npm", name, f"{name} --version") for name in ("node", "npm", "pnpm", "yarn", "bun")),
        ("yarn-berry", "yarn", "CHEF_YARN=berry yarn --version"),
        ("pip", "python", "python3 --version"),
        ("pip", "uv", "uv --version"),
    ],
)
async def test_the_image_has_the_versions_that_toolchains_name(
    sandbox: DockerSandbox, toolchain: str, program: str, command: str
) -> None:
    heard = await run(sandbox, work(shell(command)), limits=ROOMY)

    words = heard.output().decode().replace("v", " ").split()
    assert BY_NAME[toolchain].versions[program] in words


def node_project(manager: str) -> dict[str, str]:
    declared = {
        "name": "sample",
        "type": "module",
        "packageManager": manager,
        "scripts": {
            "build": "esbuild src/main.js --bundle --outfile=dist/main.js",
            "test": "node --test test/odd.test.js",
        },
        "dependencies": {"is-odd": "3.0.1"},
        "devDependencies": {"esbuild": "0.25.12"},
    }
    return {"package.json": json.dumps(declared), **NODE}


PROJECTS: Final = {
    "npm": node_project("npm@11.0.0"),
    "pnpm": node_project("pnpm@10.0.0"),
    "yarn": node_project("yarn@1.22.22"),
    "yarn-berry": node_project("yarn@4.0.0"),
    "bun": node_project("bun@1.0.0"),
    "pip": {"requirements.txt": "attrs", "test_a.py": TESTS},
    "poetry": {"pyproject.toml": '[tool.poetry.dependencies]\nattrs = "^24"\n', "test_a.py": TESTS},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", PROJECTS)
async def test_a_project_of_every_manager_is_installed_built_and_tested(sandbox: DockerSandbox, name: str) -> None:
    build, test = (planned(job, PROJECTS[name]) for job in (JobType.BUILD, JobType.TEST))
    assert build.toolchain == name

    async with sandbox.dependencies(f"toolchain-{uuid.uuid4().hex}") as place:
        await install(sandbox, test, place)
        built = await in_box(sandbox, at(build.run, PLACE), Role.JOB, place)
        tested = await in_box(sandbox, at(test.run, PLACE), Role.JOB, place)

    assert [one.exit_code for one in built.ended] == [0], built.output()
    assert (name in {"pip", "poetry"}) or "dist/main.js" in built.artifacts
    assert [one.exit_code for one in tested.ended] == [1], tested.output()
    report = tested.reports[test.run.reports[0]].decode()
    assert ("three" in report and "two" in report) or ("test_good" in report and "test_bad" in report)


async def install(sandbox: DockerSandbox, planned_test: Plan, place: Dependencies) -> None:
    assert planned_test.install is not None
    online = at(planned_test.install.work, PLACE)
    trusting = {"NODE_EXTRA_CA_CERTS": CERTIFICATES, "SSL_CERT_FILE": CERTIFICATES}
    online = attrs.evolve(online, env={**online.env, **trusting})
    installed = await in_box(sandbox, online, Role.INSTALL, place)
    assert all(one.exit_code == 0 for one in installed.ended), installed.output()
    assert set(installed.artifacts) == set(online.artifact_globs)
    if planned_test.install.offline is not None:
        scripts = await in_box(sandbox, at(planned_test.install.offline, PLACE), Role.SCRIPTS, place)
        assert all(one.exit_code == 0 for one in scripts.ended), scripts.output()


async def in_box(sandbox: DockerSandbox, what: Work, role: Role, place: Dependencies) -> Heard:
    return await run(sandbox, what, role=role, dependencies=place, limits=ROOMY)


def planned(job_type: JobType, files: dict[str, str]) -> Plan:
    asked = Assignment(files={path: text.encode() for path, text in files.items()})
    found = plan(job_type, asked, TOOLCHAINS, Budget(steps_timeout_s=120, install_timeout_s=240))
    assert isinstance(found, Plan), found
    return found
