"""A dependency that is fetched with git cannot have the job's tokens sent to where it likes."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from secrets import randbits
from typing import Any, Final

import attrs
import pytest

from chef_supervisor.domain.assignment import Assignment, OwnStep
from chef_supervisor.domain.outcome import Cause, Outcome
from chef_supervisor.domain.payload import pack
from tests.integration.dependencies.conftest import MakeSandbox
from tests.integration.dependencies.test_private_registries import TOOLCHAINS, address
from tests.kit.performing import perform
from tests.kit.shell_toolchain import QUIET, claim_of, make_workshop

TOKEN: Final = "a-t0ken-of-the-job"
# What fetches it installs these first, by the settings that lie beside it.
PACKAGE: Final = {"name": "evil", "version": "1.0.0", "devDependencies": {"x": "1"}, "scripts": {"prepare": "true"}}


@contextmanager
def listening(folder: Path) -> Iterator[tuple[int, list[str]]]:
    """Yields: the port on which the folder is served, and what was asked for with which credentials."""
    seen: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(f"{self.path} {self.headers.get('Authorization')}")
            super().do_GET()

        def log_message(self, *_: Any) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("", 0), partial(Handler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port, seen
        finally:
            server.shutdown()
            thread.join()


def make_repository(folder: Path, at: str) -> None:
    """Leave a repository, as git takes it from any web server."""
    content = folder / "content"
    content.mkdir()
    (content / "package.json").write_text(json.dumps(PACKAGE))
    (content / ".npmrc").write_text(f"registry=http://{at}/\nalways-auth=true\n//{at}/:_authToken=${{NPM_TOKEN}}\n")
    author = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    for words in (("init",), ("add", "-A"), (*author, "commit", "-m", "x"), ("clone", "--bare", ".", "../evil.git")):
        subprocess.run(["git", *words], cwd=content, check=True, capture_output=True)
    subprocess.run(["git", "update-server-info"], cwd=folder / "evil.git", check=True)


@pytest.mark.parametrize("toolchain", ["npm", pytest.param("yarn", marks=pytest.mark.slow)])
@pytest.mark.parametrize("with_token", [True, False])
@pytest.mark.asyncio
async def test_a_git_dependency_is_not_installed_with_a_token_beside_it(
    make_sandbox: MakeSandbox, tmp_path: Path, toolchain: str, with_token: bool
) -> None:
    sandbox = make_sandbox()
    workshop = make_workshop(sandbox, TOOLCHAINS)

    with listening(tmp_path) as (port, seen):
        at = address(sandbox, port)
        make_repository(tmp_path, at)
        package = {"name": "app", "dependencies": {"evil": f"git+http://{at}/evil.git"}}
        asked = Assignment(
            files={"package.json": json.dumps(package).encode()},
            toolchain=toolchain,
            steps=(OwnStep(name="nothing", run="true"),),
            secrets=workshop.installer.sealer.seal({"NPM_TOKEN": TOKEN}) if with_token else b"",
        )
        outcome = await perform(workshop, attrs.evolve(claim_of({}, randbits(100)), payload=pack(asked)), QUIET)

    assert isinstance(outcome, Outcome)
    assert outcome.result.cause is Cause.INSTALL_FAILED
    assert TOKEN not in str(seen)
    # Without a token it is fetched, and may name what it likes.
    assert any(path.startswith("/evil.git") for path in seen) is not with_token
