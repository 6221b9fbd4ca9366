"""Settings of receivers: what needs what, and what is never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from chef_supervisor.domain.errors import Misconfigured
from chef_supervisor.settings import default_config, load

HIDDEN = "hidden-4711"
MASKED = {"convex.deploy_key", "webhooks.url", "webhooks.secrets", "webhooks.callback_secrets"}


def test_by_default_nobody_is_told() -> None:
    settings = load({})

    assert (settings.convex.url, settings.convex.deploy_key, settings.convex.kind) == ("", "", "mutation")
    assert (settings.convex.result_function, settings.convex.progress_function) == ("jobs:onResult", "jobs:onProgress")
    assert (settings.webhooks.url, settings.webhooks.secrets, settings.webhooks.callback_hosts) == ("", (), ())


def test_convex_has_two_names_of_the_contract() -> None:
    convex = load({"CONVEX_URL": "https://a.convex.cloud", "CONVEX_DEPLOY_KEY": "prod:a|k"}).convex

    assert (convex.url, convex.deploy_key) == ("https://a.convex.cloud", "prod:a|k")


def test_secrets_and_hosts_are_lists() -> None:
    env = {
        "CHEF_WEBHOOKS_URL": "http://ops:8080/",
        "CHEF_WEBHOOKS_SECRETS": "whsec_new, whsec_old",
        "CHEF_WEBHOOKS_CALLBACK_HOSTS": "hooks.example.com,*.convex.site",
        "CHEF_WEBHOOKS_CALLBACK_SECRETS": "whsec_x",
    }

    webhooks = load(env).webhooks

    assert (webhooks.secrets, webhooks.callback_secrets) == (("whsec_new", "whsec_old"), ("whsec_x",))
    assert webhooks.callback_hosts == ("hooks.example.com", "*.convex.site")


@pytest.mark.parametrize(
    ("env", "told"),
    [
        ({"CONVEX_URL": "https://a.convex.cloud"}, r"convex\.deploy_key='': must be set where CONVEX_URL is"),
        ({"CONVEX_URL": "https://a.convex.cloud", "CONVEX_DEPLOY_KEY": ""}, "CONVEX_DEPLOY_KEY='': must be set"),
        ({"CONVEX_DEPLOY_KEY": HIDDEN}, r"convex\.url='': must be set where CONVEX_DEPLOY_KEY is, such as https://"),
        ({"CHEF_WEBHOOKS_URL": f"https://x.y/{HIDDEN}"}, r"webhooks\.secrets=\[\]: must hold a secret .*whsec_"),
        ({"CHEF_WEBHOOKS_CALLBACK_HOSTS": "x.y"}, r"webhooks\.callback_secrets=\[\]: must hold a secret .*whsec_"),
    ],
)
def test_half_a_receiver_is_a_fault_that_says_what_is_missing(env: dict[str, str], told: str) -> None:
    with pytest.raises(Misconfigured, match=told) as refused:
        load(env)

    assert len(refused.value.faults) == 1
    assert HIDDEN not in str(refused.value)


def test_a_secret_of_callbacks_is_none_of_the_endpoint() -> None:
    env = {
        "CHEF_WEBHOOKS_SECRETS": f"whsec_a,whsec_{HIDDEN}",
        "CHEF_WEBHOOKS_CALLBACK_SECRETS": f"whsec_{HIDDEN},whsec_b",
    }

    with pytest.raises(Misconfigured) as refused:
        load(env)

    [fault] = refused.value.faults
    assert fault.startswith("CHEF_WEBHOOKS_CALLBACK_SECRETS=***: must hold no secret that is in webhooks.secrets too")
    assert HIDDEN not in fault


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("CHEF_WEBHOOKS_SECRET", "did you mean CHEF_WEBHOOKS_SECRETS? "),
        ("CHEF_WEBHOOKS_CALLBACK_SECRET", "did you mean CHEF_WEBHOOKS_CALLBACK_SECRETS? "),
        ("CHEF_CONVEX_DEPLOYKEY", "did you mean CHEF_CONVEX_DEPLOY_KEY? "),
        ("CHEF_XYZZY", ""),
    ],
)
def test_a_name_that_is_none_is_told_without_its_value_and_with_the_one_that_was_meant(name: str, told: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        load({name: HIDDEN})

    assert refused.value.faults == (f"{name}: no such setting; {told}docs/configuration.md lists them all",)


def test_a_value_of_another_kind_is_told_without_it(tmp_path: Path) -> None:
    before, webhooks = (default_config() / "default.toml").read_text().split("[webhooks]")
    before = before.replace('deploy_key = ""', f'deploy_key = ["{HIDDEN}"]')
    webhooks = webhooks.replace("secrets = []", f'secrets = ["{HIDDEN}", 1]').replace(
        'url = ""', f'url = ["{HIDDEN}"]', 1
    )
    (tmp_path / "default.toml").write_text(f"{before}[webhooks]{webhooks}")

    with pytest.raises(Misconfigured) as refused:
        load({}, tmp_path)

    assert {fault.partition("=")[0] for fault in refused.value.faults} == MASKED
    assert HIDDEN not in str(refused.value)


def test_keys_secrets_and_the_endpoint_are_never_shown() -> None:
    env = {
        "CONVEX_URL": "https://a.convex.cloud",
        "CONVEX_DEPLOY_KEY": f"prod:a|{HIDDEN}",
        "CHEF_WEBHOOKS_URL": f"https://x.y/?token={HIDDEN}",
        "CHEF_WEBHOOKS_SECRETS": f"whsec_{HIDDEN}",
        "CHEF_WEBHOOKS_CALLBACK_SECRETS": f"whsec_other_{HIDDEN}",
    }

    assert HIDDEN not in repr(load(env))
