"""Which of the artifacts is the site, and which file a path means."""

from __future__ import annotations

import pytest

from chef_supervisor.api.preview_site import Moved, Site, site_of
from chef_supervisor.domain.outcome import Artifact
from tests.kit.artifacts import artifact

PATHS = [
    "index.html",
    "assets/app.js",
    "docs/index.html",
    "about.html",
    "caf\u00e9.html",
    "sub/page.html",
    "v1.2/index.html",
]


def listed(*paths: str) -> dict[str, Artifact]:
    return {path: artifact(path, path.encode()) for path in paths}


def site(root: str = "") -> Site:
    found = site_of(listed(*(root + path for path in PATHS), "package.json"))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("paths", "root"),
    [
        (["index.html", "dist/index.html"], ""),
        (["dist/index.html", "dist/docs/index.html"], "dist/"),
        (["out/index.html", "build/index.html", "dist/index.html"], "dist/"),
        (["coverage/index.html", "build/index.html"], "build/"),
        (["zebra/index.html", "coverage/index.html"], "coverage/"),
        (["packages/web/dist/index.html", "packages/a/b/c/index.html"], "packages/web/dist/"),
    ],
)
def test_the_site_is_the_index_nearest_to_the_top(paths: list[str], root: str) -> None:
    found = site_of(listed(*paths))

    assert found is not None
    assert found.root == root


@pytest.mark.parametrize("paths", [[], ["main.js"], ["xindex.html", "index.htm", "index.html/x"]])
def test_without_an_index_there_is_no_site(paths: list[str]) -> None:
    assert site_of(listed(*paths)) is None


@pytest.mark.parametrize("root", ["", "dist/"])
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", "index.html"),
        ("/index.html", "index.html"),
        ("/assets/app.js", "assets/app.js"),
        ("/docs/", "docs/index.html"),
        ("/about", "about.html"),
        ("/sub/page", "sub/page.html"),
        ("/cafe\u0301", "caf\u00e9.html"),
        ("/some/route/of/the/app", "index.html"),
        ("/route/", "index.html"),
        ("//", "index.html"),
    ],
)
def test_a_path_is_a_file_or_a_page_of_the_app(root: str, path: str, expected: str) -> None:
    found = site(root).find(path)

    assert isinstance(found, Artifact)
    assert found.path == root + expected


@pytest.mark.parametrize("path", ["/assets/gone.js", "/logo.png", "/package.json", "/../package.json", "/docs/x.css"])
def test_a_file_that_is_not_there_is_no_page(path: str) -> None:
    assert site("dist/").find(path) is None


@pytest.mark.parametrize(("path", "moved"), [("/docs", "/docs/"), ("/v1.2", "/v1.2/")])
def test_a_folder_is_looked_at_with_a_slash(path: str, moved: str) -> None:
    assert site().find(path) == Moved(moved)
