"""Calls the command line on a service that is not there."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest
from click.testing import CliRunner, Result

from chef_supervisor.cli import chef_supervisor, submission
from chef_supervisor.client import Client
from tests.kit.fake_service import FakeService, a_job, found

PROJECT = {"a.py": "x = 1\n"}
PASSED = found("passed")
BROKEN = found(
    "failed",
    "exit",
    diagnostics=[
        {
            "file": "src/a.ts",
            "line": 3,
            "column": 7,
            "severity": "error",
            "code": "TS2322",
            "message": "no\nmore",
            "tool": "tsc",
        },
        {
            "file": "b.css",
            "line": 0,
            "column": 0,
            "severity": "warning",
            "code": "",
            "message": "hm",
            "tool": "stylelint",
        },
    ],
)


@attrs.define(eq=False)
class House:
    """A project, and a service whose jobs end as `ends` says, by type."""

    folder: Path
    ends: Mapping[str, dict[str, Any]]
    service: FakeService = attrs.field(factory=FakeService)

    def submit(self, *argv: str, path: str = "", given: bytes = b"", **env: str) -> Result:
        """Returns: what `submit` printed, and its exit code; nothing is tried again."""
        words = ["submit", path or str(self.folder), "--patience", "0", *argv]
        return CliRunner().invoke(chef_supervisor, words, input=given, env={"CHEF_URL": "http://service", **env})

    def queue(self, request: httpx.Request) -> httpx.Response:
        """Answer a submission."""
        kind = request.headers["content-type"]
        content = (
            request.content if kind == "application/json" else request.content.split(b"\r\n\r\n")[1].split(b"\r\n")[0]
        )
        job_type = json.loads(content)["type"]
        self.service.rules["GET", f"/api/jobs/{id_of(job_type)}"] = lambda _: httpx.Response(
            200, json=self.ends[job_type]
        )
        return httpx.Response(201, json=a_job(jobId=id_of(job_type), type=job_type))


def id_of(job_type: str) -> str:
    return f"{job_type}s.0_" + "a" * 26


def end(job_type: str, status: str, result: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """Returns: a job that is over, as the service shows it."""
    times = {"startedAt": "2026-11-23T13:31:55.422Z", "finishedAt": "2026-11-23T13:31:56.922Z"}
    return a_job(status, jobId=id_of(job_type), type=job_type, result=result, **times, **fields)


def make_house(folder: Path, monkeypatch: pytest.MonkeyPatch, **ends: dict[str, Any]) -> House:
    """Returns: a house whose command line knows its service and no other."""
    for path, text in PROJECT.items():
        (folder / path).write_text(text)
    house = House(folder, ends)
    house.service.rules["POST", "/api/jobs"] = house.queue
    made = functools.partial(Client, transport=httpx.MockTransport(house.service.answer))
    monkeypatch.setattr(submission, "Client", made)
    return house
