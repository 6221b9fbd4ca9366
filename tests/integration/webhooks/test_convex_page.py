"""The functions of docs/convex.md: they type-check, take what is sent, and ignore what they know."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from chef_supervisor.domain.delivery import EventKind
from chef_supervisor.domain.job import JobStatus, JobType
from chef_supervisor.webhooks.convex_call import arguments
from chef_supervisor.webhooks.event_body import event_body
from chef_supervisor.webhooks.signing import parse_secrets
from tests.integration.webhooks.convex_app import FIELDS
from tests.kit.messages import AT_MS, JOB_ID, message
from tests.kit.npm_project import NpmProject, npm_project

pytestmark = pytest.mark.asyncio

PAGE = Path(__file__).parents[3] / "docs" / "convex.md"
BLOCK = re.compile(r"^```ts\n// (convex/\w+\.ts)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> NpmProject:
    made = npm_project(Path(__file__).parent / "convex_client", tmp_path_factory.mktemp("convex-page"))
    blocks = BLOCK.findall(PAGE.read_text())
    assert [name for name, _ in blocks] == ["convex/schema.ts", "convex/jobs.ts", "convex/http.ts"]
    assert PAGE.read_text().count("```ts") == len(blocks)
    for name, code in blocks:
        (made.folder / name).write_text(code)
    return made


async def test_the_page_type_checks_and_a_fault_in_it_would_be_found(project: NpmProject) -> None:
    code, printed = await project.run("tsc", "--noEmit")
    assert (code, printed) == (0, "")

    jobs = project.folder / "convex" / "jobs.ts"
    right = jobs.read_text()
    jobs.write_text(right.replace("known.seq", "known.sequence"))
    code, printed = await project.run("tsc", "--noEmit")
    jobs.write_text(right)
    assert code != 0
    assert "Property 'sequence' does not exist" in printed


async def test_the_validators_are_the_arguments_and_known_events_are_ignored(project: NpmProject) -> None:
    ends = message(EventKind.COMPLETED, {"verdict": "passed"}, seq=5)
    seqs = [1, 2, 2, 1, 4]
    calls = [arguments(message(EventKind.PROGRESS, seq=seq)) for seq in seqs] + [arguments(ends), arguments(ends)]
    calls += [arguments(message(EventKind.PROGRESS, seq=4))]

    found = await ran(project, calls)

    assert found["onResult"] == found["onProgress"] == FIELDS
    assert found["words"] == {"event": [*EventKind], "type": [*JobType], "status": [*JobStatus]}
    assert found["seen"] == [[1], [2], [2], [2], [4], [5], [5], [5]]


async def test_the_http_action_takes_what_is_signed_and_nothing_else(project: NpmProject) -> None:
    told = message(EventKind.FAILED, {"verdict": "failed", "cause": "exit", "output": {}}, cause="exit")
    body = event_body(told)
    right = dict(parse_secrets("A", [SECRET]).headers(told.event_id, int(time.time()), body))
    old = dict(parse_secrets("A", [SECRET]).headers(told.event_id, int(time.time()) - 3600, body))

    found = await ran(
        project,
        [],
        [
            {"headers": right, "body": body.decode()},
            {"headers": right, "body": body.decode() + " "},
            {"headers": old, "body": body.decode()},
            {"headers": {}, "body": body.decode()},
        ],
    )

    (taken, *refused) = found["answers"]
    assert [one["status"] for one in found["answers"]] == [204, 401, 401, 401]
    assert [one["told"] for one in refused] == [[], [], []]
    (args,) = taken["told"]
    assert args == dict(arguments(told)) | {
        "result": {"verdict": "failed", "cause": "exit", "diagnostics": []},
    }
    assert (args["jobId"], args["at"]) == (JOB_ID, AT_MS)


async def ran(project: NpmProject, calls: list[Any], requests: Any = ()) -> dict[str, Any]:
    for name in ("jobs", "http"):
        command = ("esbuild", f"convex/{name}.ts", "--bundle", "--format=esm", f"--outfile={name}.bundle.mjs")
        code, printed = await project.run(*command, "--platform=node", "--log-level=warning")
        assert code == 0, printed
    given = project.folder / "given.json"
    given.write_text(json.dumps({"calls": calls, "requests": list(requests)}))
    code, printed = await project.run("node", f"--env-file={secrets(project)}", "page.mjs")
    assert code == 0, printed
    return dict(json.loads(printed))


def secrets(project: NpmProject) -> Path:
    file = project.folder / "environment"
    file.write_text(f"CHEF_WEBHOOK_SECRET={SECRET}\n")
    return file
