"""The command line. Each command is a module of its own, loaded when it is asked for: none waits for another's imports."""

from __future__ import annotations

import importlib
from typing import Final

import click

from chef_supervisor import __version__

_COMMANDS: Final = ("serve", "submit", "webhook-secret")


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click calls it so
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        module = importlib.import_module(f"chef_supervisor.cli.{name}")
        command: click.Command = getattr(module, name)
        return command


@click.group(cls=_Commands)
@click.version_option(__version__, prog_name="chef-supervisor")
def chef_supervisor() -> None:
    """Builds, tests, lints and analyzes AI-made projects in single-use, hardened sandboxes."""
