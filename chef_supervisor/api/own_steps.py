"""`data.steps` and `data.artifacts`: what a job runs and hands back instead of what its toolchain says."""

from __future__ import annotations

import re
from typing import Final

from chef_supervisor.domain.assignment import OwnStep
from chef_supervisor.domain.errors import Unprocessable
from chef_supervisor.domain.files import RESERVED

STEPS: Final = "data.steps"
ARTIFACTS: Final = "data.artifacts"
MAX_STEPS: Final = 20
MAX_WORDS: Final = 100
# Far below what the kernel takes for one argument (128 KiB).
MAX_RUN_BYTES: Final = 8192
MAX_GLOBS: Final = 20
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._:@/+-]{0,49}")
_FIELDS: Final = ("name", "run")
_MAX_GLOB_CHARS: Final = 200
# Each wildcard multiplies the ways in which a long name can be matched.
_MAX_WILDCARDS: Final = 8
_MAX_SHOWN: Final = 50


def read_steps(raw: object) -> tuple[OwnStep, ...]:
    """
    Returns: the steps; none where `raw` is None.

    Raises:
        Unprocessable: `invalid_steps`, or `unknown_field` in a step.
    """
    if raw is None:
        return ()
    if not isinstance(raw, list) or not 1 <= len(raw) <= MAX_STEPS:
        raise _wrong_step(STEPS, f"give a list of 1 to {MAX_STEPS} steps, each an object of name and run")
    steps = tuple(_step(one, f"{STEPS}[{index}]") for index, one in enumerate(raw))
    seen: set[str] = set()
    for index, step in enumerate(steps):
        if step.name in seen:
            raise _wrong_step(f"{STEPS}[{index}].name", "another step has that name")
        seen.add(step.name)
    return steps


def _step(raw: object, field: str) -> OwnStep:
    if not isinstance(raw, dict):
        raise _wrong_step(field, "give an object of name and run")
    for key in raw:
        if key not in _FIELDS:
            raise Unprocessable("unknown_field", f"{field}.{key[:_MAX_SHOWN]}", f"known here: {', '.join(_FIELDS)}")
    name = raw.get("name")
    if not isinstance(name, str) or _NAME.fullmatch(name) is None:
        detail = "1 to 50 letters, digits, spaces and . _ : @ / + -, beginning with a letter or digit"
        raise _wrong_step(f"{field}.name", detail)
    return OwnStep(name=name, run=_run(raw.get("run"), f"{field}.run"))


def _run(raw: object, field: str) -> str | tuple[str, ...]:
    if isinstance(raw, str) and raw.strip():
        _check_text(raw, field, len(raw.encode()))
        return raw
    if isinstance(raw, list) and 1 <= len(raw) <= MAX_WORDS and all(isinstance(word, str) for word in raw) and raw[0]:
        for word in raw:
            _check_text(word, field, sum(len(one.encode()) for one in raw))
        return tuple(raw)
    raise _wrong_step(field, f"give a line for the shell, or a list of 1 to {MAX_WORDS} words")


def _check_text(text: str, field: str, size: int) -> None:
    if "\0" in text or size > MAX_RUN_BYTES:
        raise _wrong_step(field, f"at most {MAX_RUN_BYTES} bytes, and no NUL character")


def read_globs(raw: object) -> tuple[str, ...]:
    """
    Returns: the patterns; none where `raw` is None.

    Raises:
        Unprocessable: `invalid_artifacts`.
    """
    if raw is None:
        return ()
    if not isinstance(raw, list) or not 1 <= len(raw) <= MAX_GLOBS:
        raise _wrong_glob(ARTIFACTS, f'give a list of 1 to {MAX_GLOBS} patterns, such as "dist/**"')
    return tuple(_glob(one, f"{ARTIFACTS}[{index}]") for index, one in enumerate(raw))


def _glob(raw: object, field: str) -> str:
    if not isinstance(raw, str) or not 1 <= len(raw) <= _MAX_GLOB_CHARS or not raw.isprintable():
        raise _wrong_glob(field, f"1 to {_MAX_GLOB_CHARS} printable characters")
    names = raw.split("/")
    if "\\" in raw or names[0] == RESERVED or any(name in ("", ".", "..") for name in names):
        raise _wrong_glob(
            field, f"a path below the project, with / between names and no . or .. in it, not {RESERVED}/"
        )
    if raw.count("*") + raw.count("?") > _MAX_WILDCARDS or any("**" in name and name != "**" for name in names):
        detail = f"at most {_MAX_WILDCARDS} of * and ?; ** stands between slashes, for any number of folders"
        raise _wrong_glob(field, detail)
    return raw


def _wrong_step(field: str, detail: str) -> Unprocessable:
    return Unprocessable("invalid_steps", field, detail)


def _wrong_glob(field: str, detail: str) -> Unprocessable:
    return Unprocessable("invalid_artifacts", field, detail)
