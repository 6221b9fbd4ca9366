from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from chef_supervisor.domain.errors import Misconfigured
from chef_supervisor.domain.job import JobType
from chef_supervisor.engine.inheritance import Unrelated, inherited
from chef_supervisor.engine.toolchains import load_toolchains, toolchain_names
from tests.unit.engine.samples import TOOLCHAINS

BASE: Final[dict[str, Any]] = {
    "env": {"A": "1", "B": "2"},
    "detect": [1],
    "install": {"sees": ["a"], "env": {"C": "3"}},
    "words": {"run": ["x"]},
}


def test_what_is_not_given_is_taken_from_the_other() -> None:
    files: dict[str, dict[str, Any]] = {
        "base": BASE,
        "own": {"extends": "base", "env": {"B": "9"}, "install": {"env": {"D": "4"}}},
    }

    found = inherited("own", files)

    assert found["env"] == {"A": "1", "B": "9"}
    assert found["install"] == {"sees": ["a"], "env": {"C": "3", "D": "4"}}
    assert found["words"] == {"run": ["x"]}
    assert "extends" not in found


def test_what_is_no_table_of_names_is_replaced_whole() -> None:
    files = {
        "base": {**BASE, "jobs": {"build": [1, 2], "test": [3]}},
        "own": {"extends": "base", "jobs": {"build": [4]}},
    }

    found = inherited("own", {**files, "own": {**files["own"], "detect": [2, 3]}})

    assert found["detect"] == [2, 3]
    assert found["jobs"] == {"build": [4], "test": [3]}


def test_the_other_stays_as_it_is() -> None:
    files: dict[str, dict[str, Any]] = {"base": BASE, "own": {"extends": "base", "env": {"B": "9"}}}

    inherited("own", files)

    assert inherited("base", files) == BASE
    assert BASE["env"] == {"A": "1", "B": "2"}


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        ({"a": {"extends": "b"}}, "there is no toolchain 'b'"),
        ({"a": {"extends": 7}}, "there is no toolchain 7"),
        ({"a": {"extends": "a"}}, "extends this one"),
        ({"a": {"extends": "b"}, "b": {"extends": "a"}}, "extends this one"),
    ],
)
def test_a_wrong_relation_is_told(files: dict[str, dict[str, Any]], fault: str) -> None:
    with pytest.raises(Unrelated, match=fault):
        inherited("a", files)


def test_faults_of_relation_and_of_words_are_told_with_their_file(tmp_path: Path) -> None:
    good = 'name = "x"\nmanifest = "none"\ndetect = []\n[install]\nsees = []\nways = []\n[jobs]\n'
    (tmp_path / "a.toml").write_text('extends = "nobody"\n' + good)
    (tmp_path / "b.toml").write_text(
        good.replace('"x"', '"y"') + 'build = [{ steps = [{ name = "a", run = ["{pyton}", "{deps}"] }] }]'
    )

    with pytest.raises(Misconfigured) as caught:
        load_toolchains(tmp_path)

    assert caught.value.faults == (
        "a.toml: extends: there is no toolchain 'nobody'",
        "b.toml: jobs.build: step a: no words 'pyton'",
    )


def test_two_files_of_one_name_are_a_fault(tmp_path: Path) -> None:
    good = 'name = "x"\nmanifest = "none"\ndetect = []\n[install]\nsees = []\nways = []\n[jobs]\n'
    (tmp_path / "a.toml").write_text(good)
    (tmp_path / "b.toml").write_text(good)

    with pytest.raises(Misconfigured, match="another file has the name 'x'"):
        load_toolchains(tmp_path)


def test_the_example_of_the_documentation_is_a_toolchain(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    example = (root / "docs" / "toolchains.md").read_text().partition("```toml\n")[2].partition("```")[0]
    for name in ("pip.toml", "npm.toml"):
        (tmp_path / name).write_text((root / "config" / "toolchains" / name).read_text())
    (tmp_path / "mkdocs.toml").write_text(example)

    found = {one.name: one for one in load_toolchains(tmp_path)}

    assert found["mkdocs"].jobs[JobType.TEST] == found["pip"].jobs[JobType.TEST]
    assert found["mkdocs"].jobs[JobType.BUILD][0].artifacts == ("site/**",)


def test_every_toolchain_is_documented() -> None:
    documented = (Path(__file__).parents[3] / "docs" / "toolchains.md").read_text()

    assert all(f"| `{name}` |" in documented for name in toolchain_names(TOOLCHAINS))


def test_the_names_a_job_may_say_are_those_of_the_files() -> None:
    assert toolchain_names(TOOLCHAINS) == (
        "bun", "npm", "pip", "plain", "pnpm", "poetry", "static", "uv", "yarn", "yarn-berry",
    )  # fmt: skip
