"""Scripts of npm projects that are started without npm, and those that npm must start."""

from __future__ import annotations

import json

import pytest

from chef_supervisor.domain.assignment import Assignment
from chef_supervisor.domain.job import JobType
from chef_supervisor.engine.plan import Plan, plan
from tests.unit.engine.samples import BUDGET, TOOLCHAINS, as_bytes, package, planned

VIA_NPM = ("npm", "run", "build")


def test_a_script_finds_the_variables_that_npm_sets() -> None:
    declared = {"name": "shop", "version": "1.2.3", "scripts": {"build": "tsc && vite build"}}

    [step] = planned(JobType.BUILD, {"package.json": json.dumps(declared)}).run.steps

    assert step.argv == ("sh", "-c", "tsc && vite build")
    assert step.env["npm_package_name"] == "shop"
    assert step.env["npm_package_version"] == "1.2.3"
    assert step.env["npm_lifecycle_event"] == "build"
    assert step.env["npm_lifecycle_script"] == "tsc && vite build"
    assert step.env["npm_config_user_agent"].startswith("npm/")


def test_options_follow_the_script_as_words() -> None:
    files = {**package(test="vitest"), "a.test.ts": ""}

    [step] = planned(JobType.TEST, files).run.steps

    assert step.argv[-1].startswith("vitest --run --reporter=default ")


@pytest.mark.parametrize(
    "more",
    [
        {"package.json": json.dumps({"scripts": {"build": "vite build", "prebuild": "node make.js"}})},
        {"package.json": json.dumps({"scripts": {"build": "vite build", "postbuild": "node make.js"}})},
        {".npmrc": "script-shell=bash"},
        {"package.json": json.dumps({"scripts": {"build": "vite build", "prebuild": "true # " + 4000 * "x"}})},
        {"src/version.ts": "export const version = process.env.npm_package_config_channel"},
        {"build.mjs": "process.chdir(process.env.INIT_CWD)"},
    ],
    ids=["script before", "script after", "settings of npm", "long script before", "variable of npm", "where it began"],
)
def test_npm_starts_what_it_may_do_more_for(more: dict[str, str]) -> None:
    [step] = planned(JobType.BUILD, {**package(build="vite build"), **more}).run.steps

    assert step.argv == VIA_NPM


def test_npm_is_told_what_the_job_sets_for_it() -> None:
    asked = Assignment(files=as_bytes(package(build="vite build")), env={"NPM_CONFIG_SCRIPT_SHELL": "bash"})

    found = plan(JobType.BUILD, asked, TOOLCHAINS, BUDGET)

    assert isinstance(found, Plan)
    assert found.run.steps[0].argv == VIA_NPM


def test_what_the_manifest_does_not_name_is_no_variable() -> None:
    [step] = planned(JobType.BUILD, {"package.json": '{"scripts": {"build": "vite build"}}'}).run.steps

    assert step.env["INIT_CWD"] == "/workspace"
    assert step.env["npm_package_json"] == "/workspace/package.json"
    assert not step.env.keys() & {"npm_package_name", "npm_package_version"}


def test_a_lock_file_that_names_a_package_so_is_no_reason() -> None:
    files = {**package(build="vite build"), "package-lock.json": '{"packages": {"node_modules/npm_thing": {}}}'}

    [step] = planned(JobType.BUILD, files).run.steps

    assert step.argv == ("sh", "-c", "vite build")
