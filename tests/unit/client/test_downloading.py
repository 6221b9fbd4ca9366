"""Artifacts are saved below the folder that was named, whatever their paths say, and only as they were told."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import Any

import httpx
import pytest

from chef_supervisor.client import NotFound, NotSaved, Unreachable
from tests.kit.fake_service import JOB_ID, FakeService, Stream, problem

pytestmark = pytest.mark.asyncio
BASE = f"/api/jobs/{JOB_ID}/artifacts"


def listed(path: str, content: bytes, **others: Any) -> dict[str, Any]:
    return {"path": path, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest(), **others}


def service_with(files: dict[str, bytes], **others: Any) -> FakeService:
    """Whatever is asked for besides the list is the content of the first file."""
    artifacts = [listed(path, content, **others) for path, content in files.items()]
    service = FakeService([httpx.Response(200, content=next(iter(files.values()), b""))])
    service.rules = {("GET", BASE): lambda _: httpx.Response(200, json={"artifacts": artifacts})}
    for path, content in files.items():
        service.rules["GET", f"{BASE}/{path}"] = functools.partial(answer_with, content)
    return service


def answer_with(content: bytes, _request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, content=content)


async def download(service: FakeService, folder: Path, **fields: Any) -> list[Path]:
    async with service.client(patience_s=0, **fields) as client:
        return list(await client.download(JOB_ID, folder))


def all_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


async def test_files_are_saved_in_their_folders(tmp_path: Path) -> None:
    files = {"dist/index.html": b"<html>", "dist/assets/a b#?.js": b"x" * 100_000, "top": b""}

    saved = await download(service_with(files), tmp_path / "out" / "new")

    assert [path.relative_to(tmp_path / "out" / "new").as_posix() for path in saved] == list(files)
    assert [path.read_bytes() for path in saved] == list(files.values())
    assert not [name for name in all_below(tmp_path) if name.endswith(".part")]


async def test_a_content_that_was_spoilt_on_its_way_is_not_saved(tmp_path: Path) -> None:
    service = service_with({"a": b"x"})
    service.rules["GET", f"{BASE}/a"] = lambda _: httpx.Response(
        200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(b"no gzip")
    )

    with pytest.raises(Unreachable):
        await download(service, tmp_path)

    assert not all_below(tmp_path)


@pytest.mark.parametrize("path", [".git/config", "dist/.GIT/hooks/pre-commit"])
async def test_nothing_is_saved_into_a_repository_of_git(tmp_path: Path, path: str) -> None:
    with pytest.raises(NotSaved, match="a repository of git"):
        await download(service_with({path: b"x"}), tmp_path)

    assert not all_below(tmp_path)


@pytest.mark.parametrize(
    "path",
    [
        "../a",
        "a/../../b",
        "/etc/a",
        "a//b",
        "a/",
        ".",
        "..",
        "",
        "a\\..\\b",
        "a/./b",
        "a\0b",
        "a\nb",
        "a\u202eb",
        "\x1b[2J",
    ],
)
async def test_a_path_that_leads_astray_is_refused_and_never_asked_for(tmp_path: Path, path: str) -> None:
    folder = tmp_path / "in" / "out"
    service = service_with({path: b"x"})

    with pytest.raises(NotSaved, match="its path"):
        await download(service, folder)

    assert len(service.heard) == 1
    assert {name for name in all_below(tmp_path) if name not in {"in", "in/out"}} == set()


async def test_no_folder_on_the_way_may_be_a_link(tmp_path: Path) -> None:
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    out.mkdir()
    elsewhere.mkdir()
    (out / "dist").symlink_to(elsewhere)

    with pytest.raises(NotSaved):
        await download(service_with({"dist/a.js": b"x"}), out)

    assert list(elsewhere.iterdir()) == []


async def test_a_link_in_the_place_of_a_file_is_replaced_and_not_followed(tmp_path: Path) -> None:
    out, target = tmp_path / "out", tmp_path / "precious"
    out.mkdir()
    target.write_text("mine")
    (out / "a.js").symlink_to(target)

    await download(service_with({"a.js": b"x"}), out)

    assert target.read_text() == "mine"
    assert not (out / "a.js").is_symlink()
    assert (out / "a.js").read_bytes() == b"x"


async def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "real")

    await download(service_with({"a.js": b"x"}), tmp_path / "out")

    assert (tmp_path / "real" / "a.js").read_bytes() == b"x"


@pytest.mark.parametrize(
    "told",
    [{"sha256": "0" * 64}, {"bytes": 2}, {"bytes": 4}],
    ids=["another digest", "longer than told", "shorter than told"],
)
async def test_what_is_not_what_was_told_is_not_kept(tmp_path: Path, told: dict[str, Any]) -> None:
    (tmp_path / "a.js").write_bytes(b"old")

    with pytest.raises(NotSaved, match=r"'a\.js' was not saved"):
        await download(service_with({"a.js": b"new"}, **told), tmp_path)

    assert all_below(tmp_path) == {"a.js"}
    assert (tmp_path / "a.js").read_bytes() == b"old"


async def test_what_is_larger_than_told_is_broken_off(tmp_path: Path) -> None:
    with pytest.raises(NotSaved, match="larger than was told"):
        await download(service_with({"a.js": b"x" * 1000}, bytes=999), tmp_path)


async def test_a_download_that_breaks_is_made_again(tmp_path: Path) -> None:
    service = service_with({"a.js": b"whole"})
    answers = [httpx.Response(200, stream=Stream([b"wh"], breaks=True)), httpx.Response(200, content=b"whole")]
    service.rules["GET", f"{BASE}/a.js"] = lambda _: answers.pop(0)

    async with service.client(patience_s=30) as client:
        [saved] = await client.download(JOB_ID, tmp_path)

    assert saved.read_bytes() == b"whole"
    assert all_below(tmp_path) == {"a.js"}


async def test_a_file_in_the_place_of_a_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "dist").write_text("a file")

    with pytest.raises(NotSaved, match="Not a directory"):
        await download(service_with({"dist/a.js": b"x"}), tmp_path)


async def test_artifacts_that_are_gone_are_told(tmp_path: Path) -> None:
    service = service_with({"a.js": b"x"})
    service.rules["GET", f"{BASE}/a.js"] = lambda _: problem(404, "not_found")

    with pytest.raises(NotFound):
        await download(service, tmp_path)

    assert all_below(tmp_path) == set()


async def test_one_artifact_can_be_read() -> None:
    async with service_with({"dist/a b.js": b"x"}).client() as client:
        assert await client.artifact(JOB_ID, "dist/a b.js") == b"x"
        with pytest.raises(NotSaved):
            await client.artifact(JOB_ID, "../secret")
