"""How records come out: one JSON object a line, with the sentence, the event and its fields."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from chef_supervisor import log_format
from chef_supervisor.settings import load
from tests.kit.hook_kit import an_endpoint
from tests.kit.messages import message
from tests.kit.raw_web import raw_web, says


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in ("", "uvicorn.error", "httpcore", "httpx")]
    handlers, levels = loggers[0].handlers[:], [logger.level for logger in loggers]
    yield
    loggers[0].handlers[:] = handlers
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


def test_a_record_is_one_line_of_json_with_its_fields(capsys: pytest.CaptureFixture[str]) -> None:
    log_format.configure(load({"CHEF_LOG_FORMAT": "json"}).log)

    logging.getLogger("chef.x").info("job %s\nis done", "a", extra={"event": "job.completed", "job_id": "a"})

    [line] = capsys.readouterr().err.splitlines()
    record = json.loads(line)
    assert record["message"] == "job a\nis done"
    assert (record["event"], record["job_id"], record["level"], record["logger"]) == (
        "job.completed",
        "a",
        "info",
        "chef.x",
    )
    assert record["timestamp"].endswith("Z")


@pytest.mark.parametrize("odd", ["half \ud800 a character", 2**70, object, {1: "a"}, {"a": {"b"}}])
def test_what_json_does_not_know_is_told_all_the_same(odd: object, capsys: pytest.CaptureFixture[str]) -> None:
    log_format.configure(load({"CHEF_LOG_FORMAT": "json"}).log)

    logging.getLogger("chef.x").info("odd", extra={"event": "job.completed", "odd": odd})

    [line] = capsys.readouterr().err.splitlines()
    assert json.loads(line)["odd"] not in (None, "")


def test_a_crash_keeps_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    log_format.configure(load({"CHEF_LOG_FORMAT": "json"}).log)

    try:
        int("made to fail")
    except ValueError:
        logging.getLogger("chef.x").exception("crashed")

    assert "made to fail" in json.loads(capsys.readouterr().err)["exception"]


def test_a_console_line_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    log_format.configure(load({"CHEF_LOG_FORMAT": "console"}).log)

    logging.getLogger("chef.x").info("job %s is done", "a")

    assert "job a is done" in capsys.readouterr().err


def test_what_is_below_the_level_is_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    log_format.configure(load({"CHEF_LOG_LEVEL": "warning", "CHEF_LOG_FORMAT": "json"}).log)

    logging.getLogger("chef.x").info("not worth it")

    assert capsys.readouterr().err == ""


@pytest.mark.asyncio
async def test_whom_a_request_was_sent_to_is_not_written_at_any_level(capsys: pytest.CaptureFixture[str]) -> None:
    log_format.configure(load({"CHEF_LOG_LEVEL": "debug", "CHEF_LOG_FORMAT": "json"}).log)

    answer = says(200, {"x-hidden": "hidden"})
    async with raw_web(answer) as server, an_endpoint(f"http://127.0.0.1:{server.port}/hidden") as endpoint:
        assert (await endpoint.deliver(message())).reason == ""

    logging.getLogger().setLevel(logging.WARNING)

    records = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert {record["logger"] for record in records} == {"asyncio"}
    assert "hidden" not in json.dumps(records)
