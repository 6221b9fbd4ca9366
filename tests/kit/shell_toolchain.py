"""
A toolchain whose installs and builds are scripts that the project brings: for tests of how dependencies are kept.

`install.sh` runs with network, `scripts.sh` without, both in the place of the dependencies; `build.sh` in the workspace,
with that place in `$DEPS`. With a file `lock` the install counts as locked, else it is what the install hands back.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from chef_supervisor.domain.assignment import Assignment
from chef_supervisor.domain.job import Claim, Fence, JobType, QueueName, Tenant, new_job_id
from chef_supervisor.domain.payload import pack
from chef_supervisor.domain.toolchain import Toolchain
from chef_supervisor.engine.plan import Budget
from chef_supervisor.engine.toolchains import load_toolchains
from chef_supervisor.sandboxes.sandbox import Limits, Sandbox
from chef_supervisor.sandboxes.watched import WatchedSandbox
from chef_supervisor.settings import FileLimits
from chef_supervisor.workshop import Onlooker, Workshop
from tests.kit.installer import make_installer

MIB = 1 << 20
LIMITS = Limits(memory_bytes=256 * MIB, cpus=1, pids=64, workspace_bytes=64 * MIB)
_TOML = """
name = "shell"
looks_for = "install.sh"
manifest = "package_json"
detect = [{ precedence = 1, when = { file = ["install.sh"] } }]
output_readers = []

[env]
DEPS = "{deps}"

[install]
sees = ["install.sh", "scripts.sh", "package.json", "lock"]

[[install.ways]]
when = { file = ["lock"] }
locked = true
steps = [{ name = "install", run = ["sh", "install.sh"] }]

[[install.ways]]
steps = [{ name = "install", run = ["sh", "install.sh"] }]
artifacts = ["lock"]

[[install.offline]]
name = "scripts"
run = ["sh", "-c", "test ! -e scripts.sh || sh scripts.sh"]

[[jobs.build]]
steps = [{ name = "build", run = ["sh", "build.sh"] }]
"""
# What another session left on the same engine, or does there now, has other names.
_SESSION = secrets.randbits(128)
_SKIPPED = """
[[jobs.{}]]
skip = {{ cause = "no_script", message = "Nothing." }}
"""


def shell_toolchain(folder: Path) -> tuple[Toolchain, ...]:
    """Returns: the toolchain; `folder` is a new one."""
    folder.mkdir()
    others = "".join(_SKIPPED.format(name) for name in ("test", "lint", "analyze"))
    (folder / "shell.toml").write_text(_TOML + others)
    return load_toolchains(folder)


def make_workshop(sandbox: Sandbox, toolchains: tuple[Toolchain, ...], **cache: float) -> Workshop:
    """Returns: a workshop with that one toolchain; `cache`: bounds of the cache of dependencies."""
    watched = WatchedSandbox(sandbox)
    return Workshop(
        sandbox=watched,
        toolchains=toolchains,
        budget=Budget(steps_timeout_s=60, install_timeout_s=60),
        job_limits=LIMITS,
        file_limits=FileLimits(max_files=100, max_file_bytes=MIB, max_total_bytes=4 * MIB),
        installer=make_installer(watched, LIMITS, **cache),
    )


def project(
    *, build: str = "true", install: str = "echo made > made", scripts: str = "", lock: str = "1"
) -> dict[str, bytes]:
    """Returns: its files."""
    files = {"package.json": '{"dependencies": {"a": "1"}}', "install.sh": install, "build.sh": build}
    files |= {"lock": lock} if lock else {}
    files |= {"scripts.sh": scripts} if scripts else {}
    return {path: text.encode() for path, text in files.items()}


def claim_of(files: dict[str, bytes], number: int = 1, *, tenant: str = "tenant", sealed: bytes = b"") -> Claim:
    """Returns: the claim of a build of those files; jobs have different numbers."""
    return Claim(
        job_id=new_job_id(QueueName("builds"), ((_SESSION + number) % 2**128).to_bytes(16)),
        type=JobType.BUILD,
        tenant=Tenant(tenant),
        fence=Fence(1, "nonce"),
        runs=1,
        created_at_ms=0,
        payload=pack(Assignment(files=files, secrets=sealed)),
    )


QUIET = Onlooker(lambda _: None, lambda *_: None)
