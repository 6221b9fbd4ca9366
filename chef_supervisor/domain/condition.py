"""Questions about a project, as toolchains ask them: which files there are, what the manifest declares."""

from __future__ import annotations

import re

import attrs


def patterns_compile(_instance: object, attribute: attrs.Attribute[tuple[str, ...]], patterns: tuple[str, ...]) -> None:
    """Refuse what is no regular expression."""
    for pattern in patterns:
        try:
            re.compile(pattern)
        except re.error as error:
            msg = f"{attribute.name}: {pattern!r} is no regular expression: {error}"
            raise ValueError(msg) from error


@attrs.frozen(kw_only=True)
class Condition:
    """
    A question about a project; everything given must hold, and an empty one holds.

    Attributes:
        file: a file matches one of these globs (`**`, `*`, `?`, `{a,b}`); `no_file`: none does.
        mentions: one of the files that `file` matched contains one of these texts.
        manager: one of these regular expressions matches the whole of what the manifest names as its package manager, as
            in `pnpm@9.1.0`; a manifest that names none never holds.
        script: the manifest has a script of that name that does something and may run (`Blocked`).
        script_is: that script is one plain command (no `&&`, no pipe) that one of these regular expressions matches whole;
            `npx`, `pnpm exec` and their like, and `cross-env A=b` before it do not count.
        dependency: one of these is declared; `no_dependency`: none is.
        table: `pyproject.toml` has one of these tables, as in `tool.ruff`.
        any_of, none_of: one, or none, of these conditions holds.
    """

    file: tuple[str, ...] = ()
    no_file: tuple[str, ...] = ()
    mentions: tuple[str, ...] = ()
    manager: tuple[str, ...] = attrs.field(default=(), validator=patterns_compile)
    script: str | None = None
    script_is: tuple[str, ...] = attrs.field(default=(), validator=patterns_compile)
    dependency: tuple[str, ...] = ()
    no_dependency: tuple[str, ...] = ()
    table: tuple[str, ...] = ()
    any_of: tuple[Condition, ...] = ()
    none_of: tuple[Condition, ...] = ()
