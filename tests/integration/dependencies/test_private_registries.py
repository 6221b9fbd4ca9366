"""Installs from a registry that wants a token: it reaches the package manager, and is nowhere afterwards."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from secrets import randbits
from typing import Final

import attrs
import docker
import pytest

from chef_supervisor.domain.assignment import Assignment, OwnStep
from chef_supervisor.domain.outcome import Outcome
from chef_supervisor.domain.payload import pack
from chef_supervisor.domain.work import ArtifactData, BoxEvent
from chef_supervisor.engine.toolchains import load_toolchains
from chef_supervisor.sandboxes.docker import DockerSandbox
from chef_supervisor.sandboxes.sandbox import Sandbox
from chef_supervisor.workshop import Onlooker
from tests.integration.dependencies.conftest import MakeSandbox
from tests.integration.sandboxes.conftest import docker_config
from tests.kit.performing import perform
from tests.kit.private_registry import NAME, private_registry
from tests.kit.shell_toolchain import claim_of, make_workshop

pytestmark = pytest.mark.asyncio
TOKEN: Final = "t0ken/of+a-private.registry"
IN_URL: Final = "t0ken%2Fof%2Ba-private.registry"
# So that the step that looks for a part of it does not find itself.
PART: Final = "[a]-private.registry"
TOOLCHAINS: Final = load_toolchains(Path(__file__).parents[3] / "config" / "toolchains")
NODE_FILES: Final = {"package.json": json.dumps({"name": "app", "dependencies": {NAME: "1.0.0"}})}
NPMRC: Final = {".npmrc": "registry=http://{at}/\nalways-auth=true\n//{at}/:_authToken=${{NPM_TOKEN}}\n"}
YARNRC: Final = 'npmRegistryServer: "http://{at}"\nnpmAlwaysAuth: true\nnpmAuthToken: "${{NPM_TOKEN}}"\nunsafeHttpWhitelist: ["*"]\n'
INDEX: Final = f"http://user:{IN_URL}@{{at}}/simple"
# Each ends with where the dependencies are.
USE_NODE: Final = (
    f"""node -p "require('{NAME}')"; place=$(readlink -f node_modules/{NAME}); place=${{place%%/node_modules/*}}"""
)
USE_PYTHON: Final = (
    "python -c 'import private_one; print(private_one.NAME)'; place=$(command -v python); place=${place%/venv/*}"
)
LOOK: Final = f'test "$(ls -A "$place")" && ! grep -rs "{PART}" "$place" . /tmp && ! env | grep "{PART}"'

slow = pytest.mark.slow
# Toolchain, files with settings, secrets; `{at}` is the registry's address.
WAYS: Final = [
    pytest.param("npm", NPMRC, {"NPM_TOKEN": TOKEN}, id="npm by its settings"),
    pytest.param(
        *("npm", {}, {"npm_config_registry": "http://{at}/", "npm_config_//{at}/:_authToken": TOKEN}),
        id="npm by variables",
    ),
    pytest.param("pnpm", NPMRC, {"NPM_TOKEN": TOKEN}, id="pnpm", marks=slow),
    pytest.param("yarn", NPMRC, {"NPM_TOKEN": TOKEN}, id="yarn", marks=slow),
    pytest.param("yarn-berry", {".yarnrc.yml": YARNRC}, {"NPM_TOKEN": TOKEN}, id="yarn-berry", marks=slow),
    pytest.param("bun", {}, {"BUN_CONFIG_REGISTRY": "http://{at}/", "BUN_CONFIG_TOKEN": TOKEN}, id="bun", marks=slow),
    pytest.param("pip", {"requirements.txt": NAME}, {"PIP_INDEX_URL": INDEX}, id="pip"),
    pytest.param("pip", {"requirements.txt": NAME}, {"UV_INDEX_URL": INDEX}, id="pip with uv's variable", marks=slow),
    pytest.param(
        "pip", {"requirements.txt": f"--index-url {INDEX}\n{NAME}".replace(IN_URL, "${{TOKEN}}")}, {"TOKEN": IN_URL},
        id="pip by its settings", marks=slow,
    ),
]  # fmt: skip


def address(sandbox: Sandbox, port: int) -> str:
    """Returns: where boxes find what listens here on all addresses."""
    if not isinstance(sandbox, DockerSandbox):
        return f"127.0.0.1:{port}"
    client = docker.APIClient(base_url=docker_config().host)
    [network] = client.inspect_network("bridge")["IPAM"]["Config"]
    client.close()
    return f"{network['Gateway']}:{port}"


@pytest.mark.parametrize(("toolchain", "settings", "secrets"), WAYS)
async def test_a_token_reaches_the_package_manager_and_is_nowhere_afterwards(
    make_sandbox: MakeSandbox,
    toolchain: str,
    settings: Mapping[str, str],
    secrets: Mapping[str, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    sandbox = make_sandbox()
    workshop = make_workshop(sandbox, TOOLCHAINS)
    files = settings if toolchain == "pip" else {**NODE_FILES, **settings}
    use = USE_PYTHON if toolchain == "pip" else USE_NODE
    told: list[BoxEvent] = []

    with private_registry(TOKEN) as registry:
        at = address(sandbox, registry.port)
        asked = Assignment(
            files={path: (text.format(at=at) if path in settings else text).encode() for path, text in files.items()},
            toolchain=toolchain,
            steps=(OwnStep(name="use", run=f"{use}; {LOOK}"),),
            secrets=workshop.installer.sealer.seal(
                {name.format(at=at): value.format(at=at) for name, value in secrets.items()}
            ),
        )
        claim = attrs.evolve(claim_of({}, randbits(100)), payload=pack(asked))
        outcome = await perform(workshop, claim, Onlooker(lambda _: None, lambda _, event: told.append(event)))

    assert isinstance(outcome, Outcome)
    assert outcome.result.cause is None, outcome.result
    assert "one" in outcome.result.output.head.splitlines()
    assert any(isinstance(event, ArtifactData) for event in told)
    for found in (repr(outcome), repr(told), caplog.text, *(repr(vars(record)) for record in caplog.records)):
        assert TOKEN not in found
        assert IN_URL not in found
