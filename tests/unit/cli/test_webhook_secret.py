"""`webhook-secret`: what a host is given to verify callbacks with."""

from __future__ import annotations

import os
from typing import Final

import pytest
from click.testing import CliRunner, Result

from chef_supervisor.cli import chef_supervisor
from chef_supervisor.webhooks.signing import parse_secrets

NEW: Final = "whsec_" + "bmV3" * 8
OLD: Final = "whsec_" + "b2xk" * 8


def secrets_of(host: str, **env: str) -> Result:
    settings = {
        "CHEF_WEBHOOKS_CALLBACK_HOSTS": "hooks.example.com,*.example.org",
        "CHEF_WEBHOOKS_CALLBACK_SECRETS": f"{NEW},{OLD}",
    }
    return CliRunner().invoke(chef_supervisor, ["webhook-secret", host], env=settings | env)


@pytest.mark.parametrize("host", ["hooks.example.com", "Hooks.Example.COM", "a.b.example.org"])
def test_a_host_has_a_secret_for_each_of_the_settings_the_first_in_front(host: str) -> None:
    printed = secrets_of(host)

    expected = [parse_secrets("secrets", [text]).for_host(host.lower()).texts()[0] for text in (NEW, OLD)]
    assert printed.exit_code == 0
    assert printed.stdout.splitlines() == expected
    assert len(set(expected)) == 2


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ("other.example.com", "is not among the hosts"),
        ("example.org", "is not among the hosts"),
        ("*.example.org", "must have a host that is a name"),
        ("hooks", "full name"),
        ("hooks.example.com/path", "is more than a host; write hooks.example.com"),
        ("", "must have a host"),
    ],
)
def test_a_host_that_is_not_called_back_has_none(host: str, told: str) -> None:
    printed = secrets_of(host)

    assert printed.exit_code == 2
    assert told in " ".join(printed.stderr.replace("\u2502", "").split())
    assert "whsec_" not in printed.output


@pytest.mark.parametrize(
    "env", [{"CHEF_WEBHOOKS_CALLBACK_SECRETS": "whsec_hidden"}, {"CHEF_WEBHOOKS_CALLBACK_SECRETS": ""}, {"PORT": "x"}]
)
def test_a_configuration_that_is_wrong_is_told_as_by_serve_and_without_a_secret(env: dict[str, str]) -> None:
    printed = secrets_of("hooks.example.com", **env)

    assert printed.exit_code == os.EX_CONFIG
    assert printed.stderr.startswith("chef-supervisor webhook-secret cannot tell:")
    assert "hidden" not in printed.output
