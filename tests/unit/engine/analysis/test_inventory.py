"""What is counted without any tool."""

from __future__ import annotations

from chef_supervisor.domain.analysis import DirectDependency, Inventory, Language
from chef_supervisor.domain.toolchain import ManifestKind
from chef_supervisor.engine.analysis import asked_of


def test_files_lines_and_bytes_are_counted_by_language_largest_first() -> None:
    files = {
        "a.ts": b"1\n2\n3",
        "b/c.TSX": b"1\n",
        "d.py": b"",
        "photo.png": b"12345678\n",
        "package-lock.json": b"x" * 99,
    }

    asked = asked_of(files, ManifestKind.PACKAGE_JSON)

    assert asked.inventory == Inventory(
        files=5,
        bytes=115,
        languages=(
            Language(name="TypeScript", files=2, lines=4, bytes=7),
            Language(name="Python", files=1, lines=0, bytes=0),
        ),
    )


def test_dependencies_of_node_are_declared_with_what_they_want_and_what_for() -> None:
    manifest = (
        b'{"dependencies": {"a": "^1"}, "devDependencies": {"b": "*"}, "peerDependencies": {"c": 3}, "scripts": []}'
    )

    asked = asked_of({"package.json": b"\xef\xbb\xbf" + manifest}, ManifestKind.PACKAGE_JSON)

    assert asked.declared == (
        DirectDependency(name="a", wanted="^1", version="", license="", kind="runtime"),
        DirectDependency(name="b", wanted="*", version="", license="", kind="dev"),
        DirectDependency(name="c", wanted="", version="", license="", kind="peer"),
    )


def test_dependencies_of_python_are_declared_once_runtime_first() -> None:
    pyproject = b"""
        [project]
        dependencies = ["attrs>=23 ; python_version > '3'", "httpx[http2] ~= 0.27"]
        [dependency-groups]
        test = ["pytest", "Attrs"]
    """
    requirements = b"# all\n-r other.txt\nredis==5.0 --hash=sha256:00 \\\n\nclick  # for the command line\n"

    asked = asked_of(
        {"pyproject.toml": pyproject, "requirements.txt": requirements, "requirements-dev.txt": b"ruff\n"},
        ManifestKind.PYTHON,
    )

    assert [(one.name, one.wanted, one.kind) for one in asked.declared] == [
        ("attrs", ">=23", "runtime"),
        ("httpx", "~= 0.27", "runtime"),
        ("redis", "==5.0", "runtime"),
        ("click", "", "runtime"),
        ("pytest", "", "dev"),
        ("ruff", "", "dev"),
    ]


def test_dependencies_of_poetry_are_declared() -> None:
    pyproject = b"""
        [tool.poetry.dependencies]
        python = "^3.11"
        attrs = "^23.1"
        [tool.poetry.group.dev.dependencies]
        pytest = "*"
    """

    asked = asked_of({"pyproject.toml": pyproject}, ManifestKind.PYTHON)

    assert [(one.name, one.kind) for one in asked.declared] == [("attrs", "runtime"), ("pytest", "dev")]


def test_manifests_that_cannot_be_read_declare_nothing() -> None:
    assert asked_of({"package.json": b"{"}, ManifestKind.PACKAGE_JSON).declared == ()
    assert asked_of({"pyproject.toml": b"["}, ManifestKind.PYTHON).declared == ()
