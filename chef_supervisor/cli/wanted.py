"""What the options of `submit` mean, and how they are read."""

from __future__ import annotations

import math
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import attrs
import click

from chef_supervisor.client import Archive, Options, Shown, Unfit, gather
from chef_supervisor.client.gathering import Gathered
from chef_supervisor.domain.job import JobType

_STDIN: Final = Path("-")
_ARCHIVES: Final = (".tar.gz", ".tgz", ".tar", ".zip")
_MOST_DIGITS: Final = 9
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@attrs.frozen(kw_only=True)
class Wanted:
    """
    One call of `submit`.

    `artifacts`: the folder they are saved in, if any. `max_wait_s`: None waits for as long as it takes. `patience_s`: how
    long a service that is away is asked again.
    """

    path: Path
    types: Sequence[str]
    url: str
    chat_id: str
    options: Options
    artifacts: Path | None = None
    max_wait_s: float | None = None
    patience_s: float
    waits: bool = True
    as_json: bool = False
    logs: bool = False


def read_project(path: Path) -> Gathered | Archive:
    """
    Returns: the files of a folder, or an archive as it is; `-` is an archive on the standard input.

    Raises:
        Unfit: it is neither, or cannot be read.
    """
    if path.is_dir():
        return gather(path)
    try:
        if path == _STDIN:
            return Archive(sys.stdin.buffer.read())
        if path.name.endswith(_ARCHIVES):
            return Archive(path.read_bytes())
    except OSError as error:
        raise Unfit(f"{path} cannot be read: {error.strerror}") from error
    raise Unfit(f"{path} is neither a folder nor an archive ({', '.join(_ARCHIVES)})")


def read_types(_ctx: click.Context, _param: click.Parameter, text: str) -> tuple[str, ...]:
    """Returns: the types, in order, each once."""
    types = tuple(dict.fromkeys(word.strip() for word in text.split(",")))
    for word in types:
        if word not in set(JobType):
            raise click.BadParameter(f"{word!r} is none of {', '.join(JobType)}")
    return types


def read_secrets(_ctx: click.Context, _param: click.Parameter, pairs: tuple[str, ...]) -> dict[str, str]:
    """Returns: name -> value; a name alone takes its value from the environment, where no list of processes shows it."""
    return dict(_secret(pair) for pair in pairs)


def read_shown(_ctx: click.Context, _param: click.Parameter, pairs: tuple[str, ...]) -> dict[str, Shown]:
    """Returns: name -> value."""
    found = dict(_pair(pair) for pair in pairs)
    return {name: Shown(value) for name, value in found.items()}


def read_priority(_ctx: click.Context, _param: click.Parameter, text: str | None) -> int | str | None:
    """Returns: a number or a name; what is neither is the service's to refuse."""
    is_number = text is not None and text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS
    return int(text) if text is not None and is_number else text


def read_seconds(_ctx: click.Context, _param: click.Parameter, seconds: float | None) -> float | None:
    """Returns: a number that is one."""
    if seconds is not None and not math.isfinite(seconds):
        raise click.BadParameter("give a number of seconds")
    return seconds


def _secret(pair: str) -> tuple[str, str]:
    if "=" in pair:
        return _pair(pair)
    if _NAME.fullmatch(pair) is None or pair not in os.environ:
        raise click.BadParameter(f"{pair!r} has no =VALUE, and the environment has no variable of that name")
    return pair, os.environ[pair]


def _pair(pair: str) -> tuple[str, str]:
    name, sign, value = pair.partition("=")
    if not sign or _NAME.fullmatch(name) is None:
        # Not the whole text: it may hold a secret.
        raise click.BadParameter(f"{name[:50]!r}: give NAME=VALUE; a name has letters, digits and _")
    return name, value
