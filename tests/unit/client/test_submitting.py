"""What a submission says to the service."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from python_multipart.multipart import parse_options_header

from chef_supervisor.client import Archive, BadAnswer, Changes, Client, Options, OwnStep, Shown, Unfit
from tests.kit.fake_service import JOB_ID, FakeService, a_job
from tests.kit.virtual_time import virtual

FILES = {"a.py": "x = 1\n"}


async def asked(project: Any, **options: Any) -> dict[str, Any]:
    service = FakeService([httpx.Response(201, json=a_job())])
    async with service.client() as client:
        await client.submit("test", project, chat_id="demo", options=Options(**options))
    [body] = service.bodies()
    assert isinstance(body, dict)
    return body


@virtual
async def test_a_job_says_no_more_than_it_must() -> None:
    assert await asked(FILES) == {"type": "test", "data": {"chatId": "demo", "projectFiles": FILES}}


@virtual
async def test_text_goes_as_text_and_all_else_as_base64() -> None:
    files = {"text": "é\u2028\0", "bytes of text": "é".encode(), "logo.png": b"\x89PNG\xff"}

    sent = (await asked(files))["data"]["projectFiles"]

    logo = sent.pop("logo.png")
    assert sent == {"text": "é\u2028\0", "bytes of text": "é"}
    assert logo["encoding"] == "base64"
    assert base64.b64decode(logo["content"]) == b"\x89PNG\xff"


@virtual
async def test_every_wish_has_its_field() -> None:
    body = await asked(
        FILES,
        priority="high",
        timeout_ms=60_000,
        step_timeout_ms=5_000,
        attempts=2,
        delay_ms=10,
        only_latest=True,
        cache=True,
        callback_url="https://hooks.example.com/",
        progress=False,
        toolchain="npm",
        steps=[OwnStep(name="one", run="make"), OwnStep(name="two", run=("make", "all"))],
        artifacts=["dist/**"],
        env={"TOKEN": "s3cret", "MODE": Shown("test")},
    )

    data = body.pop("data")
    assert body == {
        "type": "test",
        "priority": "high",
        "timeoutMs": 60_000,
        "stepTimeoutMs": 5_000,
        "attempts": 2,
        "delayMs": 10,
        "dedupe": "latest",
        "cache": True,
        "callbackUrl": "https://hooks.example.com/",
        "progress": False,
    }
    assert data == {
        "chatId": "demo",
        "projectFiles": FILES,
        "toolchain": "npm",
        "steps": [{"name": "one", "run": "make"}, {"name": "two", "run": ["make", "all"]}],
        "artifacts": ["dist/**"],
        "env": {"TOKEN": "s3cret", "MODE": {"value": "test", "steps": True}},
    }


@virtual
async def test_of_an_earlier_job_goes_only_what_changed() -> None:
    body = await asked(Changes(base_job_id=JOB_ID, changed={"a.py": "x = 2\n"}, deleted=["b.py"]))

    assert body["data"] == {
        "chatId": "demo",
        "baseJobId": JOB_ID,
        "changedFiles": {"a.py": "x = 2\n"},
        "deletedPaths": ["b.py"],
    }


@virtual
async def test_an_archive_goes_as_it_is_in_a_form() -> None:
    service = FakeService([httpx.Response(201, json=a_job())])
    content = b"\x1f\x8b--boundary\r\n\r\n\xff" * 100

    async with service.client() as client:
        await client.submit("test", Archive(content), chat_id="demo")

    [request] = service.heard
    kind, options = parse_options_header(request.headers["content-type"])
    assert kind == b"multipart/form-data"
    first, job, archive, last = request.content.split(b"--" + options[b"boundary"])
    assert (first, last.strip()) == (b"", b"--")
    assert json.loads(job.split(b"\r\n\r\n", 1)[1]) == {"type": "test", "data": {"chatId": "demo"}}
    assert b'name="archive"' in archive
    assert archive.split(b"\r\n\r\n", 1)[1].removesuffix(b"\r\n") == content


@pytest.mark.asyncio
async def test_a_folder_goes_without_what_git_ignores(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("*.log\n")
    (tmp_path / "a.py").write_text("x = 1\n")
    (tmp_path / "b.log").write_text("noise")

    sent = (await asked(tmp_path))["data"]["projectFiles"]

    assert sent == {".gitignore": "*.log\n", "a.py": "x = 1\n"}


@virtual
async def test_secrets_are_in_no_representation() -> None:
    assert "s3cret" not in repr(Options(env={"TOKEN": "s3cret"}))


@virtual
async def test_characters_that_are_none_are_told_before_anything_is_sent() -> None:
    with pytest.raises(Unfit, match="lone surrogates"):
        await asked({"a\udcff.py": ""})


@virtual
async def test_the_answer_is_the_job_that_is_queued() -> None:
    service = FakeService([httpx.Response(201, json=a_job(retryOf="x", news=[1]))])

    async with service.client() as client:
        job = await client.submit("test", FILES, chat_id="demo")

    assert (job.job_id, job.status, job.over, job.retry_of) == (JOB_ID, "pending", False, "x")
    assert job.raw["news"] == [1]


@pytest.mark.parametrize("answer", [httpx.Response(200, text="<html>"), {"hello": 1}, [], "text"])
@virtual
async def test_an_answer_of_something_else_says_so(answer: object) -> None:
    async with FakeService([answer]).client() as client:
        with pytest.raises(BadAnswer, match="does not speak as chef-supervisor does"):
            await client.submit("test", FILES, chat_id="demo")


@pytest.mark.parametrize("url", ["service:3001", "ftp://service", "http://", "", "http://service:port"])
def test_what_is_no_address_is_told_at_once(url: str) -> None:
    with pytest.raises(Unfit, match="is no address"):
        Client(url)
