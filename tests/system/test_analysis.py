"""An analyze job on Docker, with the tools of the runner image, tells all there is to tell about a project."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.kit import sample_projects
from tests.kit.docker_engine import require_image
from tests.kit.service import Service, started, told

pytestmark = [pytest.mark.docker, pytest.mark.slow]
_PYTHON = {
    "pyproject.toml": """
        [project]
        name = "shop"
        version = "1"
        dependencies = ["attrs==25.4.0", "click>=8"]
    """,
    "shop/__init__.py": "",
    "shop/cart.py": "import attrs\nimport yaml\nfrom shop import till\n",
    "shop/till.py": "from shop import cart\n",
}


@pytest.fixture(scope="module")
def on_docker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Yields: a service whose boxes are containers of the runner image."""
    env = {"CHEF_SANDBOX": "docker", "DOCKER_HOST": require_image("chef-runner:dev")}
    with started(tmp_path_factory.mktemp("docker"), "--embedded-redis", **env) as running:
        yield running


@pytest.fixture(scope="module")
def convex(on_docker: Service) -> dict[str, Any]:
    """Returns: the job that analyzed a project as Chef makes them: Vite, React, TypeScript, Convex."""
    return on_docker.run("analyze", sample_projects.load("convex"))


def _analysis_of(job: dict[str, Any]) -> dict[str, Any]:
    assert (job["status"], job["result"]["verdict"]) == ("completed", "passed"), told(job)
    analysis: dict[str, Any] = job["result"]["analysis"]
    assert [part["reason"] for name, part in analysis.items() if part and name != "vulnerabilities"].count("") == len(
        [part for part in analysis.values() if part]
    ) - 1, told(job)
    return analysis


def test_every_tsconfig_of_a_convex_project_is_checked(convex: dict[str, Any]) -> None:
    _analysis_of(convex)

    checked = [step["name"] for step in convex["result"]["steps"] if step["name"].startswith("typecheck")]
    assert checked == ["typecheck tsconfig.app.json", "typecheck tsconfig.node.json", "typecheck convex"]


def test_dependencies_of_a_convex_project_have_versions_and_licences(convex: dict[str, Any]) -> None:
    dependencies = _analysis_of(convex)["dependencies"]

    found = {one["name"]: (one["version"], one["license"], one["kind"]) for one in dependencies["direct"]}
    assert found["convex"] == ("1.31.0", "Apache-2.0", "runtime")
    assert found["typescript"] == ("5.7.3", "Apache-2.0", "dev")
    assert dependencies["lockedCount"] > dependencies["directCount"]


def test_what_is_unused_and_what_goes_round_in_a_convex_project_is_told(convex: dict[str, Any]) -> None:
    analysis = _analysis_of(convex)

    assert analysis["usage"]["unused"] == [{"name": "sonner", "kind": "runtime"}]
    assert analysis["cycles"]["paths"] == [["src/App.tsx", "src/label.ts"]]


def test_the_bundle_of_a_convex_project_is_mostly_react(convex: dict[str, Any]) -> None:
    bundle = _analysis_of(convex)["bundle"]

    assert bundle["modules"][0]["path"] == "node_modules/react-dom/cjs/react-dom-client.production.js"
    assert bundle["bytes"] > 200_000


def test_vulnerabilities_are_known_or_it_is_told_why_not(convex: dict[str, Any]) -> None:
    vulnerabilities = _analysis_of(convex)["vulnerabilities"]

    assert vulnerabilities["status"] == ("unknown" if vulnerabilities["reason"] else "known")


def test_a_python_project_is_analyzed_in_its_environment(on_docker: Service) -> None:
    analysis = _analysis_of(on_docker.run("analyze", _PYTHON))

    direct = [(one["name"], one["version"], one["license"]) for one in analysis["dependencies"]["direct"]]
    assert direct[0] == ("attrs", "25.4.0", "MIT")
    assert [one["name"] for one in analysis["usage"]["unused"]] == ["click"]
    assert analysis["usage"]["missing"] == [{"name": "yaml", "file": "shop/cart.py", "line": 2}]
    assert analysis["cycles"]["paths"] == [["shop/cart.py", "shop/till.py"]]
    assert analysis["bundle"] is None


def test_a_type_error_is_an_answer_of_an_analysis(on_docker: Service) -> None:
    files = {**sample_projects.load("convex")}
    files["src/label.ts"] += "export const wrong: number = label(1);\n"

    job = on_docker.run("analyze", files)

    assert (job["status"], job["cause"], job["result"]["verdict"]) == ("completed", "exit", "failed"), told(job)
    assert [(one["file"], one["code"]) for one in job["result"]["diagnostics"]] == [("src/label.ts", "TS2322")]
    assert job["result"]["analysis"]["bundle"]["status"] == "known"


def test_where_the_install_fails_the_files_are_told_of_all_the_same(on_docker: Service) -> None:
    files = {"package.json": '{"dependencies": {"react": "0.0.0-there-is-none"}}', "a.js": "1\n"}

    job = on_docker.run("analyze", files)

    assert (job["status"], job["cause"]) == ("failed", "install_failed"), told(job)
    analysis = job["result"]["analysis"]
    assert analysis["inventory"]["languages"][0]["name"] == "JSON"
    assert analysis["dependencies"]["direct"][0]["name"] == "react"
    assert analysis["usage"]["reason"] == "the dependencies could not be installed"
