"""`chef-supervisor serve`: the service itself."""

from __future__ import annotations

import os
import sys

import click

from chef_supervisor import log_format, service
from chef_supervisor.domain.errors import Misconfigured
from chef_supervisor.settings import load


@click.command()
@click.option("--embedded-redis", is_flag=True, help="Start a Redis of our own, with its data in the state folder.")
def serve(*, embedded_redis: bool) -> None:
    """Run the service until SIGTERM or SIGINT; settings come from the environment (docs/configuration.md)."""
    try:
        settings = load(os.environ)
        log_format.configure(settings.log)
        sys.exit(service.run(settings, embedded_redis=embedded_redis))
    except Misconfigured as error:
        click.echo(f"chef-supervisor cannot start:\n{error}", err=True)
        sys.exit(os.EX_CONFIG)
