"""Projects of the package managers beside npm: what differs is how they install and start scripts, and nothing else."""

from __future__ import annotations

import json

import pytest

from chef_supervisor.domain.job import JobType
from chef_supervisor.engine.plan import Plan
from tests.unit.engine.samples import package, planned

LOCKS = {
    "npm": "package-lock.json",
    "pnpm": "pnpm-lock.yaml",
    "yarn": "yarn.lock",
    "yarn-berry": "yarn.lock",
    "bun": "bun.lock",
}
# As our Yarn writes it.
BERRY_LOCK = "# generated\n\n__metadata:\n  version: 10\n  cacheKey: 10c0\n"
NAMED = {"npm": "npm@11", "pnpm": "pnpm@10.1.0", "yarn": "yarn@1.22.0", "yarn-berry": "yarn@4.1.0", "bun": "bun@1.2.3"}
# npm's are started without it.
RUN = {
    "npm": ("sh -c vite build", "sh -c vitest"),
    "pnpm": ("pnpm run build", "pnpm run test"),
    "yarn": ("yarn --silent --no-default-rc run build", "yarn --silent --no-default-rc run test"),
    "yarn-berry": ("yarn --silent --no-default-rc run build", "yarn --silent --no-default-rc run test"),
    "bun": ("bun run build", "bun run test"),
}
FROZEN = {
    "npm": "ci",
    "pnpm": "--frozen-lockfile",
    "yarn": "--frozen-lockfile",
    "yarn-berry": "--immutable",
    "bun": "--frozen-lockfile",
}


def project(manager: str, *, locked: bool, **more: object) -> dict[str, str]:
    declared = {
        "packageManager": NAMED[manager],
        "scripts": {"build": "vite build", "test": "vitest", "postinstall": "node steal.js"},
        "devDependencies": {"vite": "*"},
        **more,
    }
    lock = {LOCKS[manager]: BERRY_LOCK if manager == "yarn-berry" else "{}"} if locked else {}
    return {"package.json": json.dumps(declared), "a.test.ts": "", **lock}


def install_command(found: Plan) -> list[str]:
    assert found.install is not None
    return [word for step in found.install.work.steps for word in step.argv]


@pytest.mark.parametrize("manager", RUN)
def test_scripts_are_started_by_their_manager(manager: str) -> None:
    to_build, to_test = RUN[manager]

    build = planned(JobType.BUILD, project(manager, locked=True))
    test = planned(JobType.TEST, project(manager, locked=True))

    assert build.toolchain == test.toolchain == manager
    assert [" ".join(step.argv) for step in build.run.steps] == [to_build]
    assert " ".join(test.run.steps[0].argv).startswith(f"{to_test} --run --reporter")


@pytest.mark.parametrize("manager", LOCKS)
def test_with_a_lock_file_nothing_but_it_is_installed(manager: str) -> None:
    found = planned(JobType.BUILD, project(manager, locked=True))

    assert found.install is not None
    assert found.install.locked
    assert FROZEN[manager] in install_command(found)
    assert found.install.work.artifact_globs == ()
    assert LOCKS[manager] in found.install.work.files


def test_a_lock_file_of_an_older_yarn_is_migrated_and_that_is_told() -> None:
    files = {**project("yarn-berry", locked=True), "yarn.lock": BERRY_LOCK.replace("10\n", "8\n", 1)}

    found = planned(JobType.BUILD, files)

    assert found.install is not None
    assert found.install.locked
    assert "--immutable" not in install_command(found)
    assert any("another version of Yarn" in warning for warning in found.warnings)


def test_a_workspace_of_pnpm_is_installed_though_its_root_needs_nothing() -> None:
    files = {
        "package.json": '{"scripts": {"build": "pnpm -r build"}}',
        "pnpm-workspace.yaml": "packages: [a]\n",
        "pnpm-lock.yaml": "{}",
    }

    assert planned(JobType.BUILD, files).install is not None


@pytest.mark.parametrize("manager", LOCKS)
def test_without_a_lock_file_the_one_that_comes_out_is_handed_back(manager: str) -> None:
    found = planned(JobType.BUILD, project(manager, locked=False))

    assert found.install is not None
    assert not found.install.locked
    assert FROZEN[manager] not in install_command(found)
    assert found.install.work.artifact_globs == (LOCKS[manager],)


@pytest.mark.parametrize("manager", LOCKS)
@pytest.mark.parametrize("locked", [True, False])
def test_no_script_of_a_package_runs_with_network(manager: str, *, locked: bool) -> None:
    found = planned(
        JobType.BUILD, {**project(manager, locked=locked), "package-lock.json": '{"hasInstallScript": true}'}
    )

    assert found.install is not None
    assert {"--ignore-scripts", "--mode=skip-build"} & set(install_command(found))
    assert found.install.offline is not None
    assert [step.name for step in found.install.offline.steps] == ["run the install scripts", "compile the tools"]
    assert found.install.offline.root == found.install.work.root == "{deps}"


def test_where_no_package_has_scripts_no_box_is_started_for_them() -> None:
    found = planned(JobType.BUILD, {**package(("webpack-cli",)), "package-lock.json": "{}"})

    assert found.install is not None
    assert found.install.offline is None


def test_what_node_compiles_of_tools_is_kept_with_them() -> None:
    found = planned(JobType.LINT, {**package(("typescript",)), "tsconfig.json": "{}", "package-lock.json": "{}"})

    assert found.install is not None
    assert found.install.offline is not None
    [step] = found.install.offline.steps
    assert step.env == {"NODE_COMPILE_CACHE": "{deps}/.chef/node-compile-cache"}
    assert "{deps}/node_modules/.bin/tsc" in step.argv[-1]


@pytest.mark.parametrize("manager", LOCKS)
def test_an_install_knows_neither_scripts_nor_pins(manager: str) -> None:
    files = project(manager, locked=True, engines={"node": ">=99"}, workspaces=["packages/*"])
    files["packages/a/package.json"] = '{"name": "a", "scripts": {"postinstall": "exit 1"}}'

    found = planned(JobType.BUILD, files)

    assert found.install is not None
    given = {path: json.loads(content) for path, content in found.install.work.files.items() if path.endswith("e.json")}
    assert given["package.json"] == {"devDependencies": {"vite": "*"}, "workspaces": ["packages/*"]}
    assert given["packages/a/package.json"] == {"name": "a"}
    assert found.run.files["package.json"] == files["package.json"].encode()


def test_another_script_is_no_reason_to_install_again() -> None:
    one = planned(JobType.BUILD, package(("vite",), build="vite build"))
    other = planned(JobType.BUILD, package(("vite",), build="vite build --mode x"))

    assert one.install is not None
    assert other.install is not None
    assert one.install.work.files == other.install.work.files


@pytest.mark.parametrize("manager", LOCKS)
def test_a_newer_node_than_ours_is_told_of(manager: str) -> None:
    found = planned(JobType.BUILD, project(manager, locked=True, engines={"node": ">=99"}))

    assert "engines asks for node >=99; node 24.19.0 was used" in found.warnings


def test_plug_n_play_is_told_to_be_none() -> None:
    default = planned(JobType.BUILD, project("yarn-berry", locked=True))
    modules = planned(
        JobType.BUILD, {**project("yarn-berry", locked=True), ".yarnrc.yml": "nodeLinker: node-modules\n"}
    )

    assert default.install is not None
    assert default.install.work.env["YARN_NODE_LINKER"] == "node-modules"
    assert any("Plug'n'Play is not served" in warning for warning in default.warnings)
    assert not any("Plug'n'Play" in warning for warning in modules.warnings)


@pytest.mark.parametrize(("manager", "path"), [("pnpm", ".pnpmfile.cjs"), ("yarn", ".yarnrc"), ("bun", "bunfig.toml")])
def test_settings_that_are_code_or_name_code_are_not_given_to_an_install(manager: str, path: str) -> None:
    found = planned(JobType.BUILD, {**project(manager, locked=True), path: "[install]\n"})

    assert found.install is not None
    assert path not in found.install.work.files
    assert any("not used when dependencies were installed" in warning for warning in found.warnings)
