from __future__ import annotations

import pytest

from chef_supervisor.engine.scripts import closure, plain_command

SCRIPTS = {"unit": "vitest", "test": "npm run unit"}


@pytest.mark.parametrize(
    ("script", "command"),
    [
        ("vitest", "vitest"),
        ("  vitest   run ", "vitest run"),
        ("npx vitest", "vitest"),
        ("npx --no-install vitest", "vitest"),
        ("npx -y vitest", "vitest"),
        ("cross-env CI=1 TZ=UTC vitest", "vitest"),
        ("CI=1 npx vitest", "vitest"),
        ("pnpm vitest", "vitest"),
        ("pnpm exec vitest --coverage", "vitest --coverage"),
        ("pnpm dlx vitest", "vitest"),
        ("pnpx vitest", "vitest"),
        ("yarn vitest run", "vitest run"),
        ("yarn exec vitest", "vitest"),
        ("bunx vitest", "vitest"),
        ("bunx --bun vitest", "vitest"),
        ("bun x vitest", "vitest"),
        ("bun run vitest", "vitest"),
        ("npm exec -- vitest", "vitest"),
        ("bun test src", "bun test src"),
        ("yarn unit", ""),
        ("pnpm test", ""),
        ("bun run unit", ""),
        ("yarn workspace a vitest", ""),
        ("vitest && echo", ""),
        ("vitest | tee x", ""),
        ("$(which vitest)", ""),
    ],
)
def test_a_plain_command_is_seen_behind_what_starts_it(script: str, command: str) -> None:
    assert plain_command(script, SCRIPTS) == command


@pytest.mark.parametrize(
    "manager", ["npm run", "pnpm", "pnpm run", "yarn", "bun run", "npm-run-all", "concurrently npm:"]
)
def test_what_a_script_starts_belongs_to_it_whoever_starts_it(manager: str) -> None:
    between = "" if manager.endswith(":") else " "
    scripts = {
        "build": f"{manager}{between}deploy",
        "deploy": "convex deploy",
        "prebuild": "echo before",
        "other": "no",
    }

    found = closure("build", scripts)

    assert "convex deploy" in found
    assert "echo before" in found
    assert "no" not in found.splitlines()
