"""`chef-supervisor webhook-secret`: what a host that is called back verifies its requests with."""

from __future__ import annotations

import os
import sys

import click

from chef_supervisor.domain.errors import Misconfigured, Unprocessable
from chef_supervisor.settings import load
from chef_supervisor.webhooks.audience import callback_rules
from chef_supervisor.webhooks.configured import callback_secrets
from chef_supervisor.webhooks.policy import CallbackRules


@click.command()
@click.argument("host")
def webhook_secret(*, host: str) -> None:
    """
    Print the secrets of the callbacks to HOST, one for each of CHEF_WEBHOOKS_CALLBACK_SECRETS, in their order.

    Settings come from the environment, as for serve (docs/webhooks.md).
    """
    try:
        webhooks = load(os.environ).webhooks
        known = _as_called(callback_rules(webhooks), host)
        for text in callback_secrets(webhooks).for_host(known).texts():
            click.echo(text)
    except Misconfigured as error:
        click.echo(f"chef-supervisor webhook-secret cannot tell:\n{error}", err=True)
        sys.exit(os.EX_CONFIG)


def _as_called(rules: CallbackRules, host: str) -> str:
    """Returns: the host as it would be called back; each below a *.suffix has secrets of its own."""
    try:
        target = rules.accept(f"https://{host}/")
    except Unprocessable as error:
        raise click.BadParameter(f"{host!r}: {error.detail}", param_hint="HOST") from error
    if target.host != host.lower():
        raise click.BadParameter(f"{host!r} is more than a host; write {target.host}", param_hint="HOST")
    return target.host
