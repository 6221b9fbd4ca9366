"""Receivers made from settings, by `make_receivers`; nothing is connected to."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Final

import pytest

from chef_supervisor.assembly import make_receivers
from chef_supervisor.domain.errors import Misconfigured
from chef_supervisor.domain.subscriber import ReceiverName
from chef_supervisor.settings import load
from chef_supervisor.webhooks import configured
from chef_supervisor.webhooks.audience import audience_of
from chef_supervisor.webhooks.convex import ConvexReceiver
from chef_supervisor.webhooks.endpoint import Callback, Endpoint
from chef_supervisor.webhooks.signing import Secrets

NEW: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NEWEST: Final = "whsec_" + "bmV3" * 8
OLD: Final = "whsec_" + "b2xk" * 8
ALL: Final = {
    "CONVEX_URL": "https://happy-otter-1.convex.cloud/",
    "CONVEX_DEPLOY_KEY": "prod:happy-otter-1|key",
    "CHEF_CONVEX_RESULT_FUNCTION": "hooks/jobs:done",
    "CHEF_CONVEX_KIND": "action",
    "CHEF_CONVEX_PROGRESS": "false",
    "CHEF_WEBHOOKS_URL": "http://10.0.0.7:8080/chef?token=hidden",
    "CHEF_WEBHOOKS_SECRETS": f"{NEW},{NEWEST}",
    "CHEF_WEBHOOKS_CONCURRENCY": "3",
    "CHEF_WEBHOOKS_CALLBACK_HOSTS": "Hooks.Example.com",
    "CHEF_WEBHOOKS_CALLBACK_SECRETS": OLD,
}


def test_by_default_there_are_none_and_nothing_is_read_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/missing.pem")

    receivers = make_receivers(load({}))

    assert receivers.names == ()
    assert receivers.callback is None


def test_receivers_have_the_names_that_jobs_are_submitted_with() -> None:
    settings = load(ALL)
    receivers = make_receivers(settings)

    told = audience_of(settings).subscribers("https://hooks.example.com/a", progress=True)

    assert receivers.names == ("convex", "hook.default")
    assert [one.receiver for one in told] == [*receivers.names, "callback.hooks.example.com"]
    assert all(receivers.hold(one.receiver, 0.0) is not None for one in told)


def test_convex_is_told_as_the_settings_say() -> None:
    convex = make_receivers(load(ALL)).hold(ReceiverName("convex"), 0.0)

    assert isinstance(convex, ConvexReceiver)
    assert (convex.config.target.host, convex.config.deploy_key) == (
        "happy-otter-1.convex.cloud",
        ALL["CONVEX_DEPLOY_KEY"],
    )
    functions = convex.config.functions
    assert (functions.result, functions.progress, functions.kind) == ("hooks/jobs:done", "jobs:onProgress", "action")
    assert convex.progress is False


def test_the_endpoint_is_told_as_the_settings_say() -> None:
    endpoint = make_receivers(load(ALL)).hold(ReceiverName("hook.default"), 0.0)

    assert isinstance(endpoint, Endpoint)
    assert (endpoint.target.host, endpoint.target.port, endpoint.concurrency) == ("10.0.0.7", 8080, 3)
    assert len(endpoint.secrets.keys) == 2


def test_callbacks_go_to_the_hosts_of_the_settings_and_are_signed_with_secrets_of_their_own() -> None:
    receivers = make_receivers(load(ALL))

    callback = receivers.hold(ReceiverName("callback.hooks.example.com"), 0.0)

    assert isinstance(callback, Callback)
    assert (callback.rules.hosts, callback.concurrency) == (("hooks.example.com",), 3)
    assert callback.secrets == Secrets((b"old" * 8,)).for_host("hooks.example.com")


def test_authorities_are_read_once_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[ssl.SSLContext] = []

    def context() -> ssl.SSLContext:
        made.append(ssl.create_default_context())
        return made[-1]

    monkeypatch.setattr(configured, "tls_context", context)

    receivers = make_receivers(load(ALL))
    receivers.hold(ReceiverName("callback.hooks.example.com"), 0.0)

    convex = receivers.hold(ReceiverName("convex"), 0.0)
    assert isinstance(convex, ConvexReceiver)
    assert made == [convex.tls]


def test_every_fault_is_told_at_once_and_no_secret() -> None:
    env = ALL | {
        "CHEF_CONVEX_RESULT_FUNCTION": "no function",
        "CHEF_WEBHOOKS_URL": "ftp://hidden",
        "CHEF_WEBHOOKS_SECRETS": f"{NEW},whsec_hidden",
        "CHEF_WEBHOOKS_CALLBACK_HOSTS": "localhost",
        "CHEF_WEBHOOKS_CALLBACK_SECRETS": "hidden",
    }

    with pytest.raises(Misconfigured) as refused:
        make_receivers(load(env))

    beginnings = [fault.partition(":")[0] for fault in refused.value.faults]
    assert beginnings == [
        *("convex", "webhooks.url", "webhooks.secrets", "webhooks.callback_hosts", "webhooks.callback_secrets")
    ]
    assert "hidden" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"), [("CONVEX_URL", "happy-otter-1.convex.cloud"), ("CONVEX_DEPLOY_KEY", "prod: hidden")]
)
def test_a_deployment_that_cannot_be_called_is_a_fault(name: str, value: str) -> None:
    with pytest.raises(Misconfigured, match="convex: ") as refused:
        make_receivers(load(ALL | {name: value}))

    assert "hidden" not in str(refused.value)


def test_authorities_that_cannot_be_read_are_a_fault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))

    with pytest.raises(Misconfigured, match=r"SSL_CERT_FILE.*: the certificates cannot be read"):
        make_receivers(load(ALL))
