"""What of a project's settings, and of a job's variables, an install goes by: nothing that would run its code there."""

from __future__ import annotations

import pytest

from chef_supervisor.domain.job import JobType
from chef_supervisor.engine.environment import install_variables, secret_variables
from chef_supervisor.engine.manifests.yaml_settings import yaml_settings
from tests.unit.engine.samples import package, planned

YARNRC = 'npmScopes:\n  me:\n    npmRegistryServer: "https://npm.example"\nnpmAuthToken: "${TOKEN}"\n'
WORKSPACE = "packages:\n- 'packages/*'\n- '!**/test/**'\n\noverrides:\n  a: 1\n"


@pytest.mark.parametrize(("path", "text"), [(".yarnrc.yml", YARNRC), ("pnpm-workspace.yaml", WORKSPACE)])
def test_settings_that_say_where_and_what_are_kept_whole(path: str, text: str) -> None:
    assert yaml_settings({path: text.encode()}) == ({path: text.encode()}, ())


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (".yarnrc.yml", "yarnPath: ./evil.cjs"),
        (".yarnrc.yml", "plugins:\n  - ./evil.cjs"),
        (".yarnrc.yml", "plugins:\n- path: ./evil.cjs"),
        (".yarnrc.yml", '"plugins": [./evil.cjs]'),
        (".yarnrc.yml", "? plugins\n: [./evil.cjs]"),
        (".yarnrc.yml", "{plugins: [./evil.cjs]}"),
        (".yarnrc.yml", "  plugins: [./evil.cjs]"),
        (".yarnrc.yml", "--- {plugins: [./evil.cjs]}"),
        (".yarnrc.yml", "!!map {plugins: [./evil.cjs]}"),
        (".yarnrc.yml", "# a comment\rplugins: [./evil.cjs]"),
        (".yarnrc.yml", "<<: {plugins: [./evil.cjs]}"),
        ("pnpm-workspace.yaml", "nodeOptions: --require ./evil.cjs"),
        ("pnpm-workspace.yaml", "configDependencies:\n  evil: 1.0.0+sha512-x"),
        ("pnpm-workspace.yaml", "pnpmfile: ./evil.cjs"),
        ("pnpm-workspace.yaml", "scriptShell: ./evil.cjs"),
        ("pnpm-workspace.yaml", "storeDir: ./evil.cjs"),
    ],
)
@pytest.mark.parametrize("harmless", ["", "npmRegistryServer: https://npm.example\nregistry: x\n"])
def test_no_setting_that_names_code_is_left(path: str, text: str, harmless: str) -> None:
    before, _ = yaml_settings({path: f"{text}\n{harmless}".encode()})
    after, _ = yaml_settings({path: f"{harmless}{text.lstrip(' ')}\n".encode()})

    assert b"evil" not in before[path] + after[path]


def test_what_is_left_out_is_named_without_its_value() -> None:
    found = planned(JobType.BUILD, {**package(("vite",)), ".yarnrc.yml": "yarnPath: s3cret\n"})

    assert found.install is not None
    assert found.install.work.files[".yarnrc.yml"] == b""
    assert found.run.files[".yarnrc.yml"] == b"yarnPath: s3cret\n"
    assert ".yarnrc.yml: not used when dependencies are installed: yarnPath" in found.warnings


@pytest.mark.parametrize(
    "name",
    [
        "NODE_OPTIONS", "LD_PRELOAD", "BASH_ENV", "ENV", "PATH", "HOME", "npm_config_git", "npm_config_script_shell",
        "NPM_CONFIG_NODE_OPTIONS", "npm_config_userconfig", "YARN_PLUGINS", "YARN_YARN_PATH", "YARN_RC_FILENAME",
        "YARN_ENABLE_SCRIPTS", "yarn_ignore_path", "BUN_OPTIONS", "PIP_CONFIG_FILE", "PIP_NO_BINARY", "UV_CONFIG_FILE",
        "UV_NO_BUILD", "UV_PYTHON", "UV_KEYRING_PROVIDER", "PYTHONPATH", "PYTHONSTARTUP", "GIT_SSH_COMMAND", "GIT_EXEC_PATH",
        "PERL5OPT", "RUBYLIB", "_JAVA_OPTIONS", "COREPACK_NPM_REGISTRY", "NETRC", "CURL_HOME", "SHELLOPTS", "RESOLV_HOST_CONF",
        "CHEF_YARN", "SHELL", "XDG_CONFIG_HOME", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "TMPDIR", "pnpm_config_pnpmfile",
    ],
)  # fmt: skip
def test_no_variable_makes_an_install_run_something(name: str) -> None:
    assert install_variables({name: "x"}) == ({}, (name,))


@pytest.mark.parametrize(
    "name",
    [
        "NPM_TOKEN", "GITHUB_TOKEN", "MY_REGISTRY", "npm_config_registry", "NPM_CONFIG__AUTHTOKEN",
        "npm_config_//npm.example/:_authToken", "npm_config_@me:registry", "YARN_NPM_AUTH_TOKEN", "BUN_CONFIG_TOKEN",
        "UV_INDEX_MINE_PASSWORD", "UV_DEFAULT_INDEX", "NODE_AUTH_TOKEN", "GIT_TOKEN", "npm_config_//npm.example/:username",
    ],
)  # fmt: skip
def test_what_settings_refer_to_and_where_packages_come_from_is_seen(name: str) -> None:
    assert install_variables({name: "x"}) == ({name: "x"}, ())


def test_an_install_with_secrets_fetches_nothing_with_git() -> None:
    secrets = {"NPM_TOKEN": "x", "PIP_INDEX_URL": "https://a", "NODE_OPTIONS": "--require ./evil.cjs"}

    assert secret_variables({}) == {}
    assert secret_variables(secrets) == {
        "NPM_TOKEN": "x",
        "PIP_INDEX_URL": "https://a",
        "UV_DEFAULT_INDEX": "https://a",
        "npm_config_allow_git": "none",
        "GIT_ALLOW_PROTOCOL": "none",
    }


def test_uv_is_told_what_pip_is() -> None:
    pip = {
        "PIP_INDEX_URL": "https://a/simple",
        "PIP_EXTRA_INDEX_URL": "https://b/simple\nhttps://c/simple",
        "PIP_FIND_LINKS": "/x  /y",
    }

    assert install_variables(pip)[0] == {
        **pip,
        "UV_DEFAULT_INDEX": "https://a/simple",
        "UV_INDEX": "https://b/simple https://c/simple",
        "UV_FIND_LINKS": "/x,/y",
    }
    assert install_variables({**pip, "UV_DEFAULT_INDEX": "https://own"})[0]["UV_DEFAULT_INDEX"] == "https://own"
