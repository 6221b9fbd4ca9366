"""What a job prints can be followed while it runs, on the real service, and is bounded however much it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import attrs
import httpx
import psutil
import pytest

from tests.kit.service import Service, started, told
from tests.system.test_crashes import kill_box

MIB = 1 << 20
MOST_OUTPUT = 200_000_000
TALKS = """
let n = 0;
const talk = setInterval(() => {
  console.log(`line ${n} \\u001b[32mgr\\u00fcn \\u65e5\\u672c\\u001b[0m ` + "x".repeat(100));
  if (++n == 200) clearInterval(talk);
}, 10);
"""
# Nobody but the test ends its first run.
WAITS = "console.log(`process ${process.pid}`); setTimeout(() => console.log('done'), 4000);"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    env = {"CHEF_SANDBOX": "bubblewrap", "CHEF_WORKER_MAX_OUTPUT_BYTES": str(MOST_OUTPUT)}
    with started(tmp_path_factory.mktemp("state"), "--embedded-redis", **env) as running:
        yield running


def project(script: str, **files: str) -> dict[str, str]:
    return {"package.json": json.dumps({"name": "x", "scripts": {"test": script}}), **files}


@attrs.frozen
class Told:
    name: str
    position: str
    content: dict[str, Any]


@contextmanager
def following(service: Service, job_id: str, after: str = "") -> Iterator[Iterator[Told]]:
    """Yields: the events of the job's log."""
    headers = {"accept": "text/event-stream"} | ({"last-event-id": after} if after else {})
    with service.client() as client, client.stream("GET", f"/api/jobs/{job_id}/logs", headers=headers) as answer:
        assert answer.status_code == httpx.codes.OK
        yield _events(answer)


def _events(answer: httpx.Response) -> Iterator[Told]:
    fields: dict[str, str] = {}
    for line in answer.iter_lines():
        name, _, value = line.partition(": ")
        fields[name] = value
        if not line and "data" in fields:
            yield Told(fields["event"], fields["id"], json.loads(fields.pop("data")))


def text_in(events: list[Told]) -> str:
    return "".join(event.content["text"] for event in events if event.name == "output")


def log_of(service: Service, job_id: str) -> str:
    with service.client() as client:
        return client.get(f"/api/jobs/{job_id}/logs").raise_for_status().text


def test_a_running_job_is_followed_across_connections_and_nothing_is_lost_or_told_twice(service: Service) -> None:
    job_id = service.submit("test", project("node talk.js", **{"talk.js": TALKS}))
    seen: list[Told] = []
    while not seen or seen[-1].name != "end":
        with following(service, job_id, seen[-1].position if seen else "") as events:
            for event in events:
                seen.append(event)
                # Leave again and again, as a page that is reloaded.
                if len(seen) % 4 == 0:
                    break

    job = service.result_of(job_id)
    assert {event.name for event in seen} == {"output", "end"}
    assert seen[-1].content == {"status": "completed"}
    lines = [f"line {n} grün 日本 " + "x" * 100 for n in range(200)]
    assert text_in(seen).splitlines()[-200:] == lines
    assert text_in(seen) == log_of(service, job_id)
    assert job["result"]["steps"][-1]["output"]["head"] == log_of(service, job_id), told(job)


def test_who_follows_a_run_that_dies_is_told_of_the_next_one(service: Service) -> None:
    job_id = service.submit("test", project("node wait.js", **{"wait.js": WAITS}))

    with following(service, job_id) as events:
        first = next(event for event in events if "process" in event.content.get("text", ""))
        kill_box(service, "bubblewrap", job_id)
        rest = list(events)

    assert first.position.startswith("1-")
    assert (rest[0].name, rest[0].content) == ("restart", {"run": 2})
    assert text_in(rest).endswith("done\n")
    assert rest[-1].name == "end"
    assert log_of(service, job_id) == text_in(rest)


def test_who_prints_without_end_is_ended_for_it(service: Service) -> None:
    job = service.run("test", project("yes"))

    result = job["result"]
    assert (job["status"], job["cause"]) == ("failed", "output_limit"), told(job)
    assert "printed more than it may" in result["message"]
    assert result["output"]["droppedBytes"] > MOST_OUTPUT - MIB
    assert len(log_of(service, job["jobId"])) < 2 * MIB


@pytest.mark.slow
def test_of_100_mb_both_ends_are_kept_and_nothing_grows_with_the_rest(service: Service) -> None:
    before = psutil.Process(service.process.pid).memory_info().rss
    talk = "echo the first words; yes 0123456789 | head -c 100000000; echo the last words"

    job = service.run("test", project(talk))

    output, log = job["result"]["output"], log_of(service, job["jobId"])
    assert job["status"] == "completed", told(job)
    assert len(output["head"]) + len(output["tail"]) <= MIB
    assert output["droppedBytes"] > 99_000_000
    for text in (output["head"] + output["tail"], log):
        assert "the first words\n" in text[:200]
        assert text.endswith("the last words\n")
    assert "bytes are left out here]" in log
    assert len(log) <= MIB + 1000
    assert psutil.Process(service.process.pid).memory_info().rss - before < 100 * MIB
