"""
Reads what a project of Poetry requires, and what its lock file chose, as lines that pip and uv know.

Poetry itself is not run: with network it would build packages and install plugins that the project names. The lock file
becomes constraints instead: every package has the version and the digests that Poetry chose.
Source: Poetry's "Dependency specification"; "poetry.lock" as of lock versions 1.1 to 2.1.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from chef_supervisor.domain.files import ProjectFiles
from chef_supervisor.engine.manifests.pyproject import WANTED
from chef_supervisor.engine.shapes import Unreadable, a_dict, a_text, dicts, texts

LOCK: Final = "poetry.lock"
_MAX_BYTES: Final = 4 << 20
_NUMBERS: Final = re.compile(r"(\d+)((?:\.\d+)*)(.*)", re.ASCII)
_HASH: Final = re.compile(r"sha(?:256|384|512):[0-9a-f]+", re.ASCII)


def poetry_requirements(root: Mapping[str, Any]) -> Iterator[str]:
    """Yields: a line for each dependency of `[tool.poetry]`, of its main group and of those that checking needs."""
    poetry = a_dict(a_dict(root.get("tool")).get("poetry"))
    groups = a_dict(poetry.get("group"))
    tables = [poetry.get("dependencies"), poetry.get("dev-dependencies")]
    tables += [a_dict(group).get("dependencies") for name, group in groups.items() if WANTED.fullmatch(name.lower())]
    wanted = _of_wanted_extras(a_dict(poetry.get("extras")))
    for table in tables:
        for name, declared in a_dict(table).items():
            if name.lower() == "python":
                continue
            for one in declared if isinstance(declared, list) else [declared]:
                if not a_dict(one).get("optional") or name in wanted:
                    yield _line(name, one)


def poetry_python(root: Mapping[str, Any]) -> str:
    """Returns: what it says of the Python version; empty where it does not."""
    poetry = a_dict(a_dict(root.get("tool")).get("poetry"))
    return a_text(a_dict(poetry.get("dependencies")).get("python"))


def locked_versions(files: ProjectFiles) -> tuple[list[str], list[str]]:
    """
    Returns: a constraint for each package of `poetry.lock`; and warnings.

    Raises:
        Unreadable: it is no TOML, or larger than 4 MiB.
    """
    content = files[LOCK]
    if len(content) > _MAX_BYTES:
        msg = f"it is larger than {_MAX_BYTES} bytes"
        raise Unreadable(msg)
    try:
        packages = list(dicts(tomllib.loads(content.decode("utf-8")).get("package")))
    except (ValueError, RecursionError) as error:
        msg = f"no TOML: {str(error)[:200]}"
        raise Unreadable(msg) from error
    several = {name for name, number in Counter(a_text(one.get("name")) for one in packages).items() if number > 1}
    lines = [_constraint(one) for one in packages if a_text(one.get("name")) not in several and not one.get("source")]
    warnings = [
        f"{LOCK} has several versions of {name}; the newest that fits was installed" for name in sorted(several)
    ]
    return [line for line in lines if line], warnings[:10]


def _of_wanted_extras(extras: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(
        re.split(r"[\s\[<>=!~;(]", text, maxsplit=1)[0]
        for name, items in extras.items()
        if WANTED.fullmatch(name.lower())
        for text in texts(items)
    )


def _line(name: str, declared: object) -> str:
    if isinstance(declared, str):
        return f"{name}{_range(declared)}"
    table = a_dict(declared)
    extras = ",".join(texts(table.get("extras")))
    named = f"{name}[{extras}]" if extras else name
    if place := next((a_text(table.get(key)) for key in ("git", "url", "path", "file") if table.get(key)), ""):
        address = f"git+{place}" if table.get("git") else place
        return f"{named} @ {address if '://' in address else f'file:{address}'}"
    markers = [text for text in (a_text(table.get("markers")), _of_python(a_text(table.get("python")))) if text]
    end = " ; " + " and ".join(f"({text})" for text in markers) if markers else ""
    return f"{named}{_range(a_text(table.get('version')) or '*')}{end}"


def _of_python(wanted: str) -> str:
    bounds = [part for part in _range(wanted).split(",") if part] if wanted else []
    pieces = [re.fullmatch(r"(\D+)(\S+)", part) for part in bounds]
    return " and ".join(f"python_version {piece[1]} '{_minor(piece[2])}'" for piece in pieces if piece)


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _range(wanted: str) -> str:
    """Returns: Poetry's range in the words of PEP 440; of alternatives (`||`) the last."""
    parts = [part.strip() for part in wanted.rsplit("||", maxsplit=1)[-1].split(",")]
    return ",".join(filter(None, map(_bound, parts)))


def _bound(part: str) -> str:
    if part in {"", "*"}:
        return ""
    if part[0] in "^~" and not part.startswith("~="):
        return _up_to_next(part[0], part[1:].strip())
    return part if part[0] in "<>=!~" else f"=={part}"


def _up_to_next(sign: str, version: str) -> str:
    match = _NUMBERS.fullmatch(version)
    if match is None:
        return ""
    numbers = [int(number) for number in (match[1] + match[2]).split(".")]
    if sign == "^":
        # The first number that is not zero may not change.
        at = next((index for index, number in enumerate(numbers) if number), len(numbers) - 1)
    else:
        at = min(1, len(numbers) - 1)
    following = [*numbers[:at], numbers[at] + 1]
    return f">={version},<{'.'.join(map(str, following))}"


def _constraint(package: dict[str, Any]) -> str:
    name, version = a_text(package.get("name")), a_text(package.get("version"))
    if not re.fullmatch(r"[\w.-]+", name, re.ASCII) or not re.fullmatch(r"[\w.!+-]+", version, re.ASCII):
        return ""
    digests = [digest for file in dicts(package.get("files")) if _HASH.fullmatch(digest := a_text(file.get("hash")))]
    return " ".join([f"{name}=={version}", *(f"--hash={digest}" for digest in digests)])
