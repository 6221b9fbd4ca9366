"""
Which of a job's own variables an install sees.

An install has network. Variables that make a program run something, or read its settings elsewhere, would make it run the
project's code there; the tools' own settings are ours to say. What is left are names that a project's settings refer to
(`${NPM_TOKEN}`) and those that say where packages come from.
Source: the documentation of npm, pnpm, Yarn, Bun, pip and uv ("environment variables"); ld.so(8); git(1); the manuals of
bash, perl, ruby, java, curl, glibc and node (ICU), which an install may come to run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

# Read by a program that an install runs, or by the loader, the shell or the interpreter below it.
_OURS: Final = re.compile(
    r"(?:LD|GLIBC|MALLOC|GCONV|NODE|NPM_CONFIG|PNPM|PNPM_CONFIG|YARN|BUN|PIP|UV|PYTHON|VIRTUAL|POETRY|GIT|SSH|SSL"
    r"|OPENSSL|CHEF|RUST|CARGO|DENO|TAR|GZIP|BASH|JSC)_.*"
    r"|PATH|HOME|SHELL|ENV|IFS|CDPATH|PWD|TMPDIR|TMP|TEMP|EDITOR|PAGER|BROWSER|USER|LOGNAME|CI|CC|CXX|TAR_OPTIONS"
    r"|PROMPT_COMMAND|PS[0-4]|TERMINFO|LOCPATH|NLSPATH|HOSTALIASES|RES_OPTIONS|NODE|PYTHONSTARTUP|PYTHONPATH|PYTHONHOME"
    r"|XDG_.*|PYTHON.*|COREPACK_.*|DYLD_.*|CONDA_.*|BASHOPTS|SHELLOPTS|PERL5?(?:OPT|LIB|DB)|RUBY(?:OPT|LIB)"
    r"|_?JAVA_(?:TOOL_)?OPTIONS|ICU_DATA|NETRC|CURL_HOME|RESOLV_HOST_CONF",
    re.IGNORECASE,
)
# Of those, the ones that say where packages come from and who asks.
_WHERE: Final = re.compile(
    r"PIP_(?:INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|TRUSTED_HOST|NO_INDEX)"
    r"|UV_(?:INDEX_URL|EXTRA_INDEX_URL|DEFAULT_INDEX|INDEX|FIND_LINKS|NO_INDEX|INSECURE_HOST|INDEX_STRATEGY)"
    r"|UV_INDEX_\w+_(?:USERNAME|PASSWORD)"
    r"|POETRY_HTTP_BASIC_\w+"
    r"|YARN_(?:NPM_REGISTRY_SERVER|NPM_AUTH_TOKEN|NPM_AUTH_IDENT|NPM_ALWAYS_AUTH)"
    r"|NPM_CONFIG_(?:REGISTRY|_AUTH|_AUTHTOKEN|//.*:(?:_auth|_authToken|_password|username)|@.*:registry)"
    r"|BUN_CONFIG_(?:REGISTRY|TOKEN)"
    # No tool reads these by themselves; settings refer to them.
    r"|(?:NODE|NPM|YARN|PNPM|BUN|PIP|UV|POETRY|GIT)_(?:AUTH_)?(?:TOKEN|PASSWORD|USERNAME)",
    re.IGNORECASE,
)
# uv asks nobody what pip was told, so it is told the same; between addresses pip has spaces.
_UV_OF_PIP: Final = {
    "PIP_INDEX_URL": ("UV_DEFAULT_INDEX", " "),
    "PIP_EXTRA_INDEX_URL": ("UV_INDEX", " "),
    "PIP_FIND_LINKS": ("UV_FIND_LINKS", ","),
    "PIP_TRUSTED_HOST": ("UV_INSECURE_HOST", " "),
    "PIP_NO_INDEX": ("UV_NO_INDEX", " "),
}

# What a git repository has in it is installed by a package manager of its own, which goes by the settings there: a
# dependency could name a registry of its own in them and have any variable sent to it.
# Source: pacote (lib/git.js), Yarn 1 (git-fetcher.js); git(1), GIT_ALLOW_PROTOCOL: "none" is no protocol that there is.
_NO_GIT: Final = {"npm_config_allow_git": "none", "GIT_ALLOW_PROTOCOL": "none"}


def secret_variables(secrets: Mapping[str, str]) -> dict[str, str]:
    """Returns: what is added to the variables of an install that has them; it fetches nothing with git then."""
    return {**install_variables(secrets)[0], **_NO_GIT} if secrets else {}


def install_variables(env: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Returns: the variables that an install sees, pip's also in the words of uv; and the names that were left out."""
    kept = {name: value for name, value in env.items() if not _OURS.fullmatch(name) or _WHERE.fullmatch(name)}
    translated = {
        theirs: between.join(kept[name].split()) for name, (theirs, between) in _UV_OF_PIP.items() if name in kept
    }
    return {**translated, **kept}, tuple(sorted(env.keys() - kept.keys()))
