"""
What of a project's YAML settings (`.yarnrc.yml`, `pnpm-workspace.yaml`) an install goes by.

An install has network, and some settings name programs or plugins: with them the project's own code would run there. So
of the keys at the top only those are kept that are known to be harmless, each with the lines that belong to it. No YAML
is read for that: what begins a line is enough to tell where a key's value ends.
Source: Yarn's "Configuration" and pnpm's "Settings (pnpm-workspace.yaml)".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from chef_supervisor.domain.files import ProjectFiles

_YARN: Final = re.compile(
    "npmRegistryServer|npmScopes|npmRegistries|npmAuthToken|npmAuthIdent|npmAlwaysAuth|npmMinimalAgeGate|"
    "npmPreapprovedPackages|enableStrictSsl|httpProxy|httpsProxy|httpTimeout|httpRetry|networkConcurrency|"
    "unsafeHttpWhitelist|packageExtensions|supportedArchitectures|catalog|catalogs|defaultSemverRangePrefix|"
    "nodeLinker|nmHoistingLimits|nmSelfReferences|checksumBehavior|compressionLevel|enableHardenedMode"
)
_PNPM: Final = re.compile(
    "packages|catalog|catalogs|catalogMode|overrides|packageExtensions|peerDependencyRules|"
    "patchedDependencies|allowUnusedPatches|allowedDeprecatedVersions|onlyBuiltDependencies|"
    "neverBuiltDependencies|ignoredBuiltDependencies|ignoredOptionalDependencies|supportedArchitectures|"
    "autoInstallPeers|strictPeerDependencies|dedupePeerDependents|dedupeDirectDeps|"
    "resolvePeersFromWorkspaceRoot|linkWorkspacePackages|preferWorkspacePackages|injectWorkspacePackages|"
    "sharedWorkspaceLockfile|includeWorkspaceRoot|hoist|hoistPattern|publicHoistPattern|shamefullyHoist|"
    "nodeLinker|resolutionMode|minimumReleaseAge|minimumReleaseAgeExclude|excludeLinksFromLockfile|registry|"
    "registries"
)
_HARMLESS: Final = {".yarnrc.yml": _YARN, "pnpm-workspace.yaml": _PNPM}
_KEY: Final = re.compile(r"([A-Za-z][\w-]*):(?:\s|$)", re.ASCII)
_MOST_NAMED: Final = 5


def yaml_settings(files: ProjectFiles) -> tuple[ProjectFiles, tuple[str, ...]]:
    """Returns: those files as an install gets them; and a warning for each that names what was left out."""
    rewritten: dict[str, bytes] = {}
    warnings: list[str] = []
    for path, harmless in _HARMLESS.items():
        if path not in files:
            continue
        # More line breaks than YAML has: one too many only loses a line.
        lines = files[path].decode("utf-8", "replace").removeprefix("\ufeff").splitlines()
        rewritten[path] = "".join(f"{line}\n" for line in _kept(lines, harmless)).encode()
        left_out = [key for line in lines if (key := _key(line)) and not harmless.fullmatch(key)]
        if left_out:
            named = ", ".join(key[:40] for key in left_out[:_MOST_NAMED])
            warnings.append(f"{path}: not used when dependencies are installed: {named}")
    return rewritten, tuple(warnings)


def _kept(lines: list[str], harmless: re.Pattern[str]) -> Iterator[str]:
    keeps = False
    for line in lines:
        if not _belongs_to_the_key_above(line):
            keeps = harmless.fullmatch(_key(line)) is not None
        if keeps:
            yield line


def _belongs_to_the_key_above(line: str) -> bool:
    # The items of a list may stand as far left as its key; any other line that begins there is a key, or nothing we know.
    return line[:1] in {"", " ", "\t"} or line.startswith("- ")


def _key(line: str) -> str:
    found = _KEY.match(line)
    return found[1] if found else ""
