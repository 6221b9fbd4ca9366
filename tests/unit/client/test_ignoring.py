"""What is gathered of a folder is what git itself would list."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chef_supervisor.client.gathering import gather

GIT: Final = shutil.which("git")
TREE: Final = (
    *("a.py", "b.log", "keep.log", "src/a.py", "src/b.log", "src/deep/keep.log", "src/deep/x/y.txt"),
    *("build/out.js", "src/build/out.js", "src/build", "lib/a#b", "lib/ends ", "lib/!bang", "lib/[x]", "doc/build.md"),
)
CASES: Final[dict[str, dict[str, str]]] = {
    "names and globs": {".gitignore": "*.log\nbuild\n"},
    "folders only": {".gitignore": "build/\n"},
    "anchored": {".gitignore": "/build\nsrc/*.py\n"},
    "taken back": {".gitignore": "*.log\n!keep.log\n"},
    "taken back below": {".gitignore": "*.log\n", "src/.gitignore": "!*.log\n", "src/deep/.gitignore": "*.log\n"},
    "not taken back from an ignored folder": {".gitignore": "src/\n!src/a.py\n"},
    "nothing but": {".gitignore": "/*\n!/src/\n/src/*\n!/src/a.py\n"},
    "folders stay": {".gitignore": "*\n!*/\n!*.py\n"},
    "any depth": {".gitignore": "src/**/keep.log\n**/x\n"},
    "all below": {".gitignore": "src/**\n!src/deep/\n"},
    "the order counts": {".gitignore": "!keep.log\n*.log\n"},
    "excluded here": {".git/info/exclude": "*.log\n", "src/.gitignore": "!b.log\n"},
    "a file outweighs what is excluded here": {".git/info/exclude": "!*.log\n", ".gitignore": "b.log\n"},
    "odd lines": {".gitignore": "\ufeff# comment\r\n\r\n*.log   \r\n\\#x\n\\!bang\nlib/ends\\ \n/\n[\n[z-a].py\n"},
    "brackets": {".gitignore": "lib/\\[x\\]\n[a-b].py\n?.log\n"},
    "below itself": {"src/.gitignore": "/a.py\nbuild\ndeep/x\n"},
    "nearly everything": {".gitignore": "*\n!a.py\n"},
}


def lay_out(root: Path, ignoring: dict[str, str]) -> None:
    (root / ".git" / "info").mkdir(parents=True)
    subprocess.run([str(GIT), "init", "-q", "--template=", "."], cwd=root, check=True)
    for path in dict.fromkeys((*TREE, *ignoring)):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        if not (root / path).is_dir():
            (root / path).write_text(ignoring.get(path, path))


def listed_by_git(root: Path) -> list[str]:
    own = {"HOME": str(root), "GIT_CONFIG_NOSYSTEM": "1", "PATH": os.environ["PATH"]}
    argv = [str(GIT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(argv, cwd=root, env=own, check=True, capture_output=True).stdout
    return sorted(os.fsdecode(name) for name in listed.split(b"\0") if name)


def gathered(root: Path) -> list[str]:
    return sorted(gather(root).files)


@pytest.mark.skipif(GIT is None, reason="git is not here to be asked")
@pytest.mark.parametrize("ignoring", CASES.values(), ids=CASES)
def test_what_git_would_ignore_is_not_sent(tmp_path: Path, ignoring: dict[str, str]) -> None:
    lay_out(tmp_path, ignoring)

    assert gathered(tmp_path) == listed_by_git(tmp_path)


NAMES = st.sampled_from(["a", "b", "a.b", "*", "**", "?", "*.b", "[ab]"])
LINES = st.builds(
    lambda bang, first, names, last: bang + first + "/".join(names) + last,
    st.sampled_from(["", "", "!"]),
    st.sampled_from(["", "", "/"]),
    st.lists(NAMES, min_size=1, max_size=3),
    st.sampled_from(["", "", "/"]),
)
FILES = st.lists(LINES, max_size=4).map("\n".join)


@pytest.mark.skipif(GIT is None, reason="git is not here to be asked")
@given(top=FILES, below=FILES, excluded=FILES)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_lines_are_read_as_git_reads_them(
    tmp_path_factory: pytest.TempPathFactory, top: str, below: str, excluded: str
) -> None:
    root = tmp_path_factory.mktemp("tree")
    names = ("a", "b/a", "b/b", "b/a.b/a", "b/a.b/b/a", "c/a/b/a.b", "c/b")
    (root / ".git" / "info").mkdir(parents=True)
    subprocess.run([str(GIT), "init", "-q", "--template=", "."], cwd=root, check=True)
    for path in (*names, "c/.keep"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("")
    (root / ".gitignore").write_text(top)
    (root / "b" / ".gitignore").write_text(below)
    (root / ".git" / "info" / "exclude").write_text(excluded)
    expected = listed_by_git(root)

    assert (gathered(root) if expected else []) == expected
