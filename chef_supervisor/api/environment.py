"""
`data.env`: variables of a job, and which of them are secrets. No refusal ever repeats a value.

The install has the network and the secrets, and none of the project's code runs in it. Variables that would load code
into the package managers, or name programs for them, would end that: as secrets they are refused, and of those that
every step sees the install sees only the others.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import attrs

from chef_supervisor.api.project_files import field_of
from chef_supervisor.domain.errors import Unprocessable
from chef_supervisor.engine.environment import install_variables

FIELD: Final = "data.env"
MAX_VARIABLES: Final = 100
MAX_VALUE_BYTES: Final = 32_768
MAX_TOTAL_BYTES: Final = 65_536
_NAME: Final = re.compile(
    r"[A-Za-z_][A-Za-z0-9_]{0,127}"
    # npm's own, for one registry or one scope.
    r"|(?i:npm_config_)(?://[A-Za-z0-9.:/~%_-]{1,200}:(?:_authToken|_auth|_password|username)|@[A-Za-z0-9._~-]{1,100}:registry)"
)
_FIELDS: Final = ("value", "steps")
# Where things are in a box, and how the network is reached.
_OURS: Final = re.compile(
    r"PATH|HOME|TMPDIR|TMP|TEMP|PWD|OLDPWD|SHELL|USER|LOGNAME|IFS|CHEF_.*|LD_.*|(?:HTTP|HTTPS|ALL|NO|FTP)_PROXY"
)


@attrs.frozen(kw_only=True)
class Environment:
    """`shown`: what every step sees. `secrets`: what the install alone sees."""

    shown: Mapping[str, str] = attrs.field(factory=dict)
    secrets: Mapping[str, str] = attrs.field(factory=dict, repr=False)


def read_env(raw: object) -> Environment:
    """
    Returns: the variables; none where `raw` is None. A plain text is a secret.

    Raises:
        Unprocessable: `invalid_env`, `reserved_variable`, or `unknown_field` in a variable.
    """
    if raw is None:
        return Environment()
    if not isinstance(raw, dict) or len(raw) > MAX_VARIABLES:
        raise _invalid(FIELD, f"give an object of at most {MAX_VARIABLES} variables, name -> value")
    shown: dict[str, str] = {}
    secrets: dict[str, str] = {}
    for name, described in raw.items():
        value, in_steps = _variable(name, described)
        (shown if in_steps else secrets)[name] = value
    if (
        sum(len(name) + len(value.encode()) for kept in (shown, secrets) for name, value in kept.items())
        > MAX_TOTAL_BYTES
    ):
        raise _invalid(FIELD, f"at most {MAX_TOTAL_BYTES} bytes in all")
    return Environment(shown=shown, secrets=secrets)


def _variable(name: str, described: object) -> tuple[str, bool]:
    """Returns: the value, and whether every step sees it."""
    field = field_of(FIELD, name)
    if _NAME.fullmatch(name) is None:
        raise _invalid(
            field,
            "a name has 1 to 128 letters, digits and _, and does not begin with a digit, or is npm's own for a registry",
        )
    value, in_steps = described, False
    if isinstance(described, dict):
        if not described.keys() <= set(_FIELDS):
            raise Unprocessable("unknown_field", field, f"known here: {', '.join(_FIELDS)}")
        value, in_steps = described.get("value"), described.get("steps", False)
    if not isinstance(value, str) or not isinstance(in_steps, bool):
        raise _invalid(field, 'give a text, which is a secret, or {"value": "...", "steps": true}')
    if "\0" in value or len(value.encode()) > MAX_VALUE_BYTES:
        raise _invalid(field, f"a value has at most {MAX_VALUE_BYTES} bytes, and no NUL character")
    _check_allowed(name.upper(), field, in_steps=in_steps)
    return value, in_steps


def _check_allowed(name: str, field: str, *, in_steps: bool) -> None:
    """Look at the name in capitals: npm reads its own in any case."""
    if _OURS.fullmatch(name):
        raise Unprocessable("reserved_variable", field, "is set by the supervisor")
    if not in_steps and name not in install_variables({name: ""})[0]:
        detail = (
            'is kept from the install, which alone sees secrets; with {"value": "...", "steps": true} the steps see it'
        )
        raise Unprocessable("reserved_variable", field, detail)


def _invalid(field: str, detail: str) -> Unprocessable:
    return Unprocessable("invalid_env", field, detail)
