"""How a project is worked on, as a request says it: toolchain, steps, artifacts, env, cache."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from chef_supervisor.domain.assignment import Assignment, OwnStep
from chef_supervisor.domain.payload import unpack
from tests.unit.api.api_kit import Api, assert_problem, data, fake_seal

FILES = {"a.txt": "a"}
SECRET = "s3cret-value-7f"


async def asked(api: Api, **wishes: Any) -> Assignment:
    job_id = await api.posted(data=data(FILES) | wishes)
    return unpack(api.store.jobs[job_id].job.payload)


@pytest.mark.asyncio
async def test_nothing_is_wished_for_where_nothing_is_said(api: Api) -> None:
    nothing = dict.fromkeys(("toolchain", "steps", "artifacts", "env"))

    assert await asked(api) == await asked(api, **nothing) == Assignment(files={"a.txt": b"a"})


@pytest.mark.asyncio
async def test_all_that_is_wished_for_is_kept(api: Api) -> None:
    steps = [{"name": "build it", "run": "make && ls"}, {"name": "e2e:ci", "run": ["node", "run.js", ""]}]

    kept = await asked(api, toolchain="pip", steps=steps, artifacts=["dist/**", "*.tgz"])

    assert kept == Assignment(
        files={"a.txt": b"a"},
        toolchain="pip",
        steps=(OwnStep(name="build it", run="make && ls"), OwnStep(name="e2e:ci", run=("node", "run.js", ""))),
        artifacts=("dist/**", "*.tgz"),
    )


@pytest.mark.parametrize(("wish", "kept"), [(True, True), (False, False), (None, False)])
@pytest.mark.asyncio
async def test_cache_stands_at_the_top(api: Api, wish: bool | None, kept: bool) -> None:
    job_id = await api.posted(cache=wish)

    assert unpack(api.store.jobs[job_id].job.payload).cache is kept


@pytest.mark.asyncio
async def test_plain_variables_are_secrets_and_sealed_before_they_are_stored(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    secrets = {"NPM_TOKEN": SECRET, "OTHER": "", "THIRD": SECRET, "PIP_INDEX_URL": f"https://u:{SECRET}@example.org"}
    env = {name: value for name, value in secrets.items() if name not in ("OTHER", "THIRD")} | {
        "OTHER": {"value": "", "steps": False},
        "THIRD": {"value": SECRET},
    }

    with caplog.at_level(logging.DEBUG):
        job_id = await api.posted(data=data(FILES) | {"env": env})

    payload = api.store.jobs[job_id].job.payload
    assert unpack(payload).secrets == fake_seal(secrets)
    assert unpack(payload).env == {}
    assert SECRET.encode() not in payload
    assert SECRET not in caplog.text


@pytest.mark.asyncio
async def test_variables_that_the_steps_see_are_no_secrets(api: Api) -> None:
    shown = {"NODE_ENV": "production", "NODE_OPTIONS": "--max-old-space-size=300", "VITE_A": "ü\n"}

    kept = await asked(api, env={name: {"value": value, "steps": True} for name, value in shown.items()})

    assert (kept.env, kept.secrets) == (shown, b"")


def _steps(*runs: Any) -> dict[str, Any]:
    return {"steps": [{"name": f"s{index}", "run": run} for index, run in enumerate(runs)]}


BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"toolchain": "cargo"}, "invalid_toolchain", "data.toolchain"),
    ({"toolchain": ["npm"]}, "invalid_toolchain", "data.toolchain"),
    ({"steps": []}, "invalid_steps", "data.steps"),
    ({"steps": "make"}, "invalid_steps", "data.steps"),
    ({"steps": ["make"]}, "invalid_steps", "data.steps[0]"),
    (_steps(*["true"] * 21), "invalid_steps", "data.steps"),
    (_steps("true", " "), "invalid_steps", "data.steps[1].run"),
    (_steps(5), "invalid_steps", "data.steps[0].run"),
    (_steps([]), "invalid_steps", "data.steps[0].run"),
    (_steps([""]), "invalid_steps", "data.steps[0].run"),
    (_steps(["a", 5]), "invalid_steps", "data.steps[0].run"),
    (_steps(["a"] * 101), "invalid_steps", "data.steps[0].run"),
    (_steps("é" * 4097), "invalid_steps", "data.steps[0].run"),
    (_steps(["a" * 5000, "b" * 5000]), "invalid_steps", "data.steps[0].run"),
    (_steps("a\0b"), "invalid_steps", "data.steps[0].run"),
    ({"steps": [{"name": "a", "run": "b", "env": {}}]}, "unknown_field", "data.steps[0].env"),
    ({"steps": [{"run": "b"}]}, "invalid_steps", "data.steps[0].name"),
    ({"steps": [{"name": "", "run": "b"}]}, "invalid_steps", "data.steps[0].name"),
    ({"steps": [{"name": "a\x1b[0m", "run": "b"}]}, "invalid_steps", "data.steps[0].name"),
    ({"steps": [{"name": "a" * 51, "run": "b"}]}, "invalid_steps", "data.steps[0].name"),
    ({"steps": [{"name": "a", "run": "b"}] * 2}, "invalid_steps", "data.steps[1].name"),
    ({"artifacts": []}, "invalid_artifacts", "data.artifacts"),
    ({"artifacts": "dist/**"}, "invalid_artifacts", "data.artifacts"),
    ({"artifacts": ["a"] * 21}, "invalid_artifacts", "data.artifacts"),
    *(
        ({"artifacts": ["a", glob]}, "invalid_artifacts", "data.artifacts[1]")
        for glob in ("", 5, "/etc/*", "../*", "a/../b", "./a", "a//b", "a/", "a\\b", ".chef/**", "a\nb", "x" * 201)
    ),
    *(
        ({"artifacts": [glob]}, "invalid_artifacts", "data.artifacts[0]")
        for glob in ("a**b", "***", "*a*a*a*a*a*a*a*a*", "?" * 9)
    ),
    ({"env": []}, "invalid_env", "data.env"),
    ({"env": {f"V{number}": "" for number in range(101)}}, "invalid_env", "data.env"),
    ({"env": {"A": "x" * 32_000, "B": "x" * 32_000, "C": "x" * 2_000}}, "invalid_env", "data.env"),
    *(
        ({"env": {name: SECRET}}, "invalid_env", "data.env[")
        for name in (
            *("", "1A", "A-B", "A B", "A\n", "é", "A" * 129, "npm_config_//a/:registry", "npm_config_@a b:registry"),
            *("npm_config_//a=/:_auth", "npm_config_//a/:_auth\n", "other_//a/:_auth"),
        )
    ),
    *(
        ({"env": {"A": value}}, "invalid_env", 'data.env["A"]')
        for value in (
            *(None, 5, [SECRET], f"{SECRET}\0", SECRET * 3000, {}, {"value": 5}),
            *({"steps": True}, {"value": SECRET, "steps": "yes"}),
        )
    ),
    ({"env": {"A": {"value": SECRET, "secret": True}}}, "unknown_field", 'data.env["A"]'),
    *(
        ({"env": {name: SECRET}}, "reserved_variable", f'data.env["{name}"]')
        for name in (
            *(
                "PATH",
                "HOME",
                "LD_PRELOAD",
                "LD_LIBRARY_PATH",
                "NODE_OPTIONS",
                "PYTHONSTARTUP",
                "PYTHONPATH",
                "BASH_ENV",
            ),
            *(
                "npm_config_script_shell",
                "NPM_CONFIG_GIT",
                "npm_config_ignore_scripts",
                "PIP_NO_BINARY",
                "PIP_CONFIG_FILE",
            ),
            *(
                "UV_NO_BINARY_PACKAGE",
                "GIT_SSH_COMMAND",
                "GIT_CONFIG_COUNT",
                "PERL5OPT",
                "RUBYOPT",
                "JAVA_TOOL_OPTIONS",
            ),
            *(
                "OPENSSL_CONF",
                "https_proxy",
                "ALL_PROXY",
                "XDG_CONFIG_HOME",
                "COREPACK_HOME",
                "NETRC",
                "CHEF_SECRETS_KEY",
            ),
        )
    ),
    *(
        ({"env": {name: {"value": SECRET, "steps": True}}}, "reserved_variable", f'data.env["{name}"]')
        for name in ("PATH", "HOME", "LD_PRELOAD", "TMPDIR", "chef_x", "HTTP_PROXY")
    ),
]


@pytest.mark.parametrize(
    ("wishes", "code", "path"), [pytest.param(*bad, id=f"{bad[1]} {str(bad[0])[:50]}") for bad in BAD]
)
@pytest.mark.asyncio
async def test_bad_wish_is_refused_by_its_place_and_never_by_its_value(
    api: Api, wishes: dict[str, Any], code: str, path: str
) -> None:
    response = await api.post(data=data(FILES) | wishes)

    assert assert_problem(response, 422, code)["path"].startswith(path)
    assert SECRET not in response.text
    assert not api.store.jobs


@pytest.mark.asyncio
async def test_unknown_toolchain_is_told_which_there_are(api: Api) -> None:
    problem = (await api.post(data=data(FILES) | {"toolchain": "cargo"})).json()

    assert problem["detail"] == "must be one of npm, pip"


@pytest.mark.parametrize("cache", ["true", 1, [], {}])
@pytest.mark.asyncio
async def test_cache_is_a_truth_value(api: Api, cache: Any) -> None:
    assert assert_problem(await api.post(cache=cache), 422, "invalid_cache")["path"] == "cache"


@pytest.mark.parametrize(
    "name",
    [
        "NPM_TOKEN",
        "MY_TOKEN",
        "UV_INDEX_PRIVATE_PASSWORD",
        "YARN_NPM_AUTH_TOKEN",
        "GITHUB_TOKEN",
        "NODE_AUTH_TOKEN",
        "npm_config_registry",
        "npm_config_//npm.example:8080/a/~b/:_authToken",
        "NPM_CONFIG_//npm.example/:_password",
        "npm_config_@me:registry",
    ],
)
@pytest.mark.asyncio
async def test_usual_secrets_of_registries_are_taken(api: Api, name: str) -> None:
    assert (await asked(api, env={name: SECRET})).secrets == fake_seal({name: SECRET})
