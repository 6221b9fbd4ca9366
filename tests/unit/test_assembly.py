"""Adapters made from settings: limits, and the certificates that installs trust."""

from __future__ import annotations

import os
from pathlib import Path

import attrs
import pytest

from chef_supervisor.assembly import api_store_config, make_sealer, make_workshop, store_config
from chef_supervisor.domain.errors import Misconfigured
from chef_supervisor.sandboxes.watched import WatchedSandbox
from chef_supervisor.settings import load
from chef_supervisor.workshop import Workshop
from tests.kit.fake_sandbox import FakeSandbox


@pytest.fixture(autouse=True)
def state_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path / "chef-supervisor"


def workshop(**env: str) -> Workshop:
    state = {"XDG_STATE_HOME": os.environ["XDG_STATE_HOME"]}
    return make_workshop(load(state | env), WatchedSandbox(FakeSandbox()))


def test_without_extra_certificates_an_install_is_told_of_none() -> None:
    made = workshop().installer

    assert (made.trust_files, made.trust_env) == ({}, {})


def test_extra_certificates_come_on_top_of_the_machines_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own, extra = tmp_path / "own.pem", tmp_path / "extra.pem"
    own.write_bytes(b"OWN")
    extra.write_bytes(b"EXTRA")
    monkeypatch.setenv("SSL_CERT_FILE", str(own))

    made = workshop(CHEF_EXTRA_CA_CERTS=str(extra)).installer

    [(path, content)] = made.trust_files.items()
    assert b"OWN" in content
    assert b"EXTRA" in content
    assert set(made.trust_env.values()) == {f"{{deps}}/{path}"}
    assert {"NODE_EXTRA_CA_CERTS", "PIP_CERT", "SSL_CERT_FILE"} <= made.trust_env.keys()


def test_certificates_that_cannot_be_read_are_told_with_name_and_value(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"CHEF_EXTRA_CA_CERTS='.*missing.pem'"):
        workshop(CHEF_EXTRA_CA_CERTS=str(tmp_path / "missing.pem"))


def test_the_limits_of_a_box_are_those_of_the_settings() -> None:
    made = workshop(WORKER_MEMORY_LIMIT="1g", WORKER_CPU_LIMIT="0.5", WORKER_TIMEOUT="5000")

    assert (made.job_limits.memory_bytes, made.job_limits.workspace_bytes) == (1 << 30, 1 << 29)
    assert made.job_limits.cpus == 0.5
    assert made.budget.steps_timeout_s == 5


def test_the_store_is_told_where_redis_is() -> None:
    config = store_config(load({"REDIS_HOST": "there", "REDIS_PORT": "6400", "CHEF_REDIS_PASSWORD": "x"}))

    assert (config.host, config.port, config.password, config.unix_socket) == ("there", 6400, "x", None)


def test_the_store_confirms_and_forgives_only_when_it_is_told_to() -> None:
    config = store_config(load({}))
    told = store_config(load({"CHEF_REDIS_DURABILITY": "fsync", "CHEF_REDIS_ALLOW_VOLATILE": "true"}))

    assert (config.confirm_on_disk, config.allow_volatile) == (False, False)
    assert (told.confirm_on_disk, told.allow_volatile) == (True, True)


def test_the_store_that_requests_wait_for_gives_up_sooner_and_differs_in_nothing_else() -> None:
    settings = load({"CHEF_REDIS_REQUEST_TIMEOUT_S": "0.5", "CHEF_REDIS_DURABILITY": "fsync"})

    api, workers = api_store_config(settings), store_config(settings)

    assert (api.command_timeout_s, workers.command_timeout_s) == (0.5, 2.0)
    assert attrs.evolve(api, command_timeout_s=2.0) == workers


def test_api_and_workers_on_one_state_folder_open_what_each_other_sealed(state_dir: Path) -> None:
    settings = load({"CHEF_STATE_DIR": str(state_dir)})

    sealed = make_sealer(settings).seal({"NPM_TOKEN": "hidden"})

    assert make_workshop(settings, WatchedSandbox(FakeSandbox())).installer.sealer.open(sealed) == {
        "NPM_TOKEN": "hidden"
    }


def test_a_key_of_secrets_that_is_none_is_told_without_its_value() -> None:
    with pytest.raises(Misconfigured, match="CHEF_SECRETS_KEY") as caught:
        workshop(CHEF_SECRETS_KEY="not-a-key")

    assert "not-a-key" not in str(caught.value)
    assert "not-a-key" not in repr(load({"CHEF_SECRETS_KEY": "not-a-key"}))


def test_dependencies_are_kept_as_the_settings_say(state_dir: Path) -> None:
    made = workshop(CHEF_DEPENDENCIES_MAX_ENTRY_BYTES="5000")

    assert made.installer.most_bytes == 5000
