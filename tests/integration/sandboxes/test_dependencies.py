"""What an install box writes, a job box reads and cannot change; `node_modules` is a real folder of links into it."""

from __future__ import annotations

import json

import attrs
import pytest

from chef_supervisor.domain.work import Work
from chef_supervisor.sandboxes.sandbox import Dependencies, Role, Sandbox
from tests.integration.sandboxes.boxes import run, shell, work

pytestmark = pytest.mark.asyncio

PACKAGES = {
    "node_modules/left/package.json": json.dumps({"name": "left", "bin": {"left": "cli.js"}}).encode(),
    "node_modules/left/index.js": b"module.exports = 'left of ' + require('@scope/right')",
    "node_modules/left/cli.js": b"#!/usr/bin/env node\nconsole.log('cli: ' + require('./index.js'))\n",
    "node_modules/@scope/right/package.json": b'{"name": "@scope/right"}',
    "node_modules/@scope/right/index.js": b"module.exports = 'right'",
    "node_modules/.package-lock.json": b"{}",
}
INSTALL = """
cd node_modules && chmod +x left/cli.js && mkdir .bin && ln -s ../left/cli.js .bin/left && ln -s ../packages/own own
"""
OWN = {"packages/own/index.js": b"module.exports = 'own'", "packages/own/package.json": b'{"name": "own"}'}


def installing() -> Work:
    return attrs.evolve(work(shell(INSTALL), files=dict(PACKAGES)), root="/deps/entry")


async def _use(sandbox: Sandbox, dependencies: Dependencies, script: str) -> bytes:
    what = attrs.evolve(work(shell(script), files=dict(OWN)), links_from="/deps/entry")
    heard = await run(sandbox, what, dependencies=dependencies)
    assert heard.end.complete
    return heard.output()


async def test_installed_packages_are_used_through_links(sandbox: Sandbox) -> None:
    async with sandbox.dependencies("links-test") as dependencies:
        installed = await run(sandbox, installing(), role=Role.INSTALL, dependencies=dependencies)
        assert installed.ended[0].exit_code == 0, installed.output()

        required = await _use(sandbox, dependencies, "node -e \"console.log(require('left'), require('own'))\"")
        by_name = await _use(sandbox, dependencies, "node_modules/.bin/left")
        written = await _use(
            sandbox, dependencies, "mkdir node_modules/.vite node_modules/@scope/new && ls -A node_modules"
        )

    assert required == b"left of right own\n"
    assert by_name == b"cli: left of right\n"
    assert written.split() == [b".bin", b".package-lock.json", b".vite", b"@scope", b"left", b"own"]


async def test_a_job_reads_dependencies_and_cannot_write_them(sandbox: Sandbox) -> None:
    async with sandbox.dependencies("read-only-test") as dependencies:
        await run(sandbox, installing(), role=Role.INSTALL, dependencies=dependencies)

        output = await _use(
            sandbox,
            dependencies,
            "(echo x > node_modules/left/index.js) 2>&1; rm -rf /deps/entry 2>&1;"
            "touch /deps/new 2>&1; ls /deps/entry/node_modules/left",
        )

    assert output.count(b"Read-only file system") >= 3
    assert output.endswith(b"cli.js\nindex.js\npackage.json\n")


async def test_dependencies_begin_empty_and_are_gone_afterwards(sandbox: Sandbox) -> None:
    listing = attrs.evolve(work(shell("ls -A")), root="/deps")
    for _ in range(2):
        async with sandbox.dependencies("again-test") as dependencies:
            before = await run(sandbox, listing, role=Role.INSTALL, dependencies=dependencies)
            stubborn = attrs.evolve(work(shell("mkdir -p a/b && touch a/b/c && chmod 0 a/b a")), root="/deps")
            await run(sandbox, stubborn, role=Role.INSTALL, dependencies=dependencies)

        assert before.output() == b""


async def test_a_path_is_no_name_for_dependencies(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="no name"):
        async with sandbox.dependencies("../elsewhere"):
            pass
