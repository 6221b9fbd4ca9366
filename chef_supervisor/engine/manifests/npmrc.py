"""
What of a project's `.npmrc` an install goes by: where packages come from, and which of them are chosen.

An install has network, and some settings name programs (`git`, `script-shell`, `node-options`): with them the project's
own code would run there. So what is not known to be harmless is left out.
Source: npm's documentation of "config"; the npm package `ini` for the form.
"""

from __future__ import annotations

import re
from typing import Final

from chef_supervisor.domain.files import ProjectFiles

_NAME: Final = ".npmrc"
# A key as it stands, without quotes, escapes and `${...}`: npm would make another key of those.
_KEPT: Final = re.compile(
    r"(?:@[\w.~-]+:)?registry"
    r"|//[\w.:/~@%-]+:(?:_authToken|_auth|_password|username|email|always-auth)"
    r"|_auth|_authToken|_password|username|email|always-auth"
    r"|(?:https-|http-)?proxy|noproxy|strict-ssl|ca(?:\[\])?"
    r"|fetch-(?:retries|retry-factor|retry-mintimeout|retry-maxtimeout|timeout)|maxsockets|prefer-(?:online|offline)"
    r"|legacy-peer-deps|strict-peer-deps|legacy-bundling|global-style|install-strategy|install-links|prefer-dedupe"
    r"|force|engine-strict|package-lock|lockfile-version|tag|before"
    r"|(?:omit|include)(?:\[\])?|optional|production|also|only|dev"
    r"|save|save-(?:exact|prefix|dev|prod|optional|peer|bundle)|audit|audit-level|fund|loglevel|progress|color",
    re.ASCII,
)
_MOST_NAMED: Final = 5


def install_settings(files: ProjectFiles) -> tuple[ProjectFiles, tuple[str, ...]]:
    """Returns: the file as an install gets it, where there is one; and a warning that names what was left out."""
    if _NAME not in files:
        return {}, ()
    # As npm splits it; other line breaks of Unicode are none to it.
    lines = re.split(r"[\r\n]+", files[_NAME].decode("utf-8", "replace").removeprefix("\ufeff"))
    kept = [line for line in lines if _KEPT.fullmatch(_key(line))]
    left_out = [_key(line) for line in lines if line not in kept and _says_something(line)]
    # Keys only: values may be passwords.
    named = ", ".join(key[:40] for key in left_out[:_MOST_NAMED])
    warnings = (f".npmrc: not used when dependencies are installed: {named}",) if left_out else ()
    return {_NAME: "".join(f"{line}\n" for line in kept).encode()}, warnings


def _key(line: str) -> str:
    return line.partition("=")[0].strip()


def _says_something(line: str) -> bool:
    return bool(line.strip()) and line.lstrip()[0] not in "#;"
