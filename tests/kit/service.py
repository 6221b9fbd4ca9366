"""The whole service as a process of its own, as a user starts it, with its log read as records."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import attrs
import httpx

START_S: Final = 60.0
STOP_S: Final = 60.0
_LAST_LINES_S: Final = 5.0
# What the tests' machine has set must not change the service under test.
_OURS: Final = ("CHEF_", "REDIS_", "WORKER_", "MAX_CONCURRENT_", "PORT", "NODE_ENV")
_ROOT: Final = Path(__file__).parents[2]


@attrs.define(eq=False)
class Service:
    """A running service. `records` grows as it logs; wait for one with `wait_for`."""

    process: subprocess.Popen[bytes]
    records: list[dict[str, Any]] = attrs.field(factory=list)
    url: str = ""
    _grown: threading.Condition = attrs.field(factory=threading.Condition)
    _ended: bool = False

    def read_log(self) -> None:
        """Runs in a thread until the process closes its standard error."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            record = _record(line)
            with self._grown:
                self.records.append(record)
                self._grown.notify_all()
        with self._grown:
            self._ended = True
            self._grown.notify_all()

    def wait_for(self, wanted: Callable[[dict[str, Any]], bool], timeout_s: float = START_S) -> dict[str, Any]:
        """Returns: the first record that is wanted, past ones included."""
        with self._grown:
            self._grown.wait_for(lambda: self._ended or any(map(wanted, self.records)), timeout_s)
            found = [record for record in self.records if wanted(record)]
            assert found, "no such record in:\n" + "\n".join(map(str, self.records[-50:]))
            return found[0]

    def wait_for_event(self, event: str, **fields: object) -> dict[str, Any]:
        """Returns: the first record of that event with those fields."""
        return self.wait_for(lambda record: record.get("event") == event and fields.items() <= record.items())

    def client(self) -> httpx.Client:
        """Returns: a client of the service's API."""
        # Certificates, which nobody asks for here, take longer to load than most requests.
        return httpx.Client(base_url=self.url, timeout=60, verify=False)

    def submit(self, job_type: str, files: Mapping[str, str], tenant: str = "tests", **top: object) -> str:
        """Returns: the id of a queued job."""
        with self.client() as client:
            body = {"type": job_type, "data": {"chatId": tenant, "projectFiles": files}, **top}
            answer = client.post("/api/jobs", json=body)
            assert answer.status_code == httpx.codes.CREATED, answer.text
            return str(answer.json()["jobId"])

    def result_of(self, job_id: str, within_s: float = 240.0) -> dict[str, Any]:
        """Returns: the job once it is over."""
        [job] = self.results_of([job_id], within_s)
        return job

    def results_of(self, job_ids: Iterable[str], within_s: float = 240.0) -> list[dict[str, Any]]:
        """Returns: the jobs once all are over."""
        with self.client() as client:
            return [self.result_by(client, job_id, within_s) for job_id in job_ids]

    def result_by(self, client: httpx.Client, job_id: str, within_s: float = 240.0) -> dict[str, Any]:
        """Returns: the job once it is over, asked for by that client."""
        for _ in range(int(within_s / 30) + 1):
            job: dict[str, Any] = client.get(f"/api/jobs/{job_id}", params={"wait": 30}).raise_for_status().json()
            if job["finishedAt"] is not None:
                return job
        raise AssertionError(f"{job_id} is not over after {within_s:g} s: {self.records[-20:]}")

    def events_of(self, job_id: str, until: Callable[[dict[str, Any]], bool] | None = None) -> list[dict[str, Any]]:
        """Returns: the job's events from its first to the one that is asked for, or to its terminal one."""
        params = {"jobId": job_id, "after": f"{job_id.partition('.')[0]}:0-0"}
        events: list[dict[str, Any]] = []
        with self.client() as client, client.stream("GET", "/api/events", params=params) as answer:
            for line in answer.iter_lines():
                if line.startswith("data: "):
                    events.append(json.loads(line.removeprefix("data: ")))
                    if events[-1]["status"] not in {"pending", "processing"} or (until and until(events[-1])):
                        break
        return events

    def run(self, job_type: str, files: Mapping[str, str]) -> dict[str, Any]:
        """Returns: a job that was submitted and is over."""
        return self.result_of(self.submit(job_type, files))

    def stop(self) -> int:
        """Returns: the exit code after SIGTERM."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_S)


def told(job: Mapping[str, Any]) -> str:
    """Returns: a job as text for the message of an assertion, its output last and cut."""
    return json.dumps(job, indent=1)[-8000:]


def _record(line: bytes) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except ValueError:
        record = None
    return record if isinstance(record, dict) else {"message": line.decode(errors="replace")}


@contextmanager
def started(
    state_dir: Path,
    *argv: str,
    ready: str = "api.listening",
    module: Sequence[str] = ("chef_supervisor",),
    **env: str,
) -> Iterator[Service]:
    """
    Start `chef-supervisor serve` on a free port, wait for the event that says it is ready, and end it in any case.

    `module`: what is run in its place, with its own arguments before ours; `faulty_service` makes such.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    # Networks that intercept TLS: installs in boxes trust what the recipes were told, or what node here is told.
    trusted = os.environ.get("CHEF_EXTRA_CA_CERTS", os.environ.get("NODE_EXTRA_CA_CERTS", ""))
    defaults = {
        "CHEF_EXTRA_CA_CERTS": trusted,
        "PORT": "0",
        "CHEF_STATE_DIR": str(state_dir),
        "CHEF_LOG_FORMAT": "json",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", *module, "serve", *argv],
        env=inherited | defaults | env,
        cwd=_ROOT,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    service = Service(process)
    reader = threading.Thread(target=service.read_log, daemon=True)
    reader.start()
    try:
        service.url = service.wait_for_event(ready).get("url", "")
        yield service
    finally:
        _end(process, reader)


def _end(process: subprocess.Popen[bytes], reader: threading.Thread) -> None:
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    # Not torn out of the reader's hands, unless somebody else holds the other end open.
    reader.join(_LAST_LINES_S)
    if process.stderr is not None:
        process.stderr.close()
    reader.join(STOP_S)
