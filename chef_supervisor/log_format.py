"""How records are written: JSON lines, or a console for people. The code logs with the standard library."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Final

import orjson
import structlog

from chef_supervisor.settings import LogSettings

# What every record has; all else is from its `extra`.
_OWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


def configure(settings: LogSettings) -> None:
    """Send every record to standard error, as JSON or (on a terminal, or when asked for) as console lines."""
    console = settings.format == "console" or (settings.format == "auto" and sys.stderr.isatty())
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_for_people() if console else JsonLines())
    _tell_no_more_than_is_written()
    logging.basicConfig(level=settings.level.upper(), handlers=[handler], force=True)
    # httptools says "Invalid HTTP request received" for every scan of the port.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    # They tell whom was called, with its path and the headers of its answer.
    for name in ("httpcore", "httpx"):
        logging.getLogger(name).setLevel(logging.WARNING)


class JsonLines(logging.Formatter):
    """A record as one line: the sentence, the fields of its `extra`, and where, when and how grave it was."""

    def format(self, record: logging.LogRecord) -> str:
        """Returns: the line."""
        fields = {name: value for name, value in vars(record).items() if name not in _OWN}
        told = {
            "message": record.getMessage(),
            **fields,
            "level": record.levelname.lower(),
            "logger": record.name,
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z"),
        }
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            told["stack_info"] = self.formatStack(record.stack_info)
        try:
            return orjson.dumps(told, default=repr, option=orjson.OPT_NON_STR_KEYS).decode()
        except orjson.JSONEncodeError:
            # A lone surrogate, or a number of more than 64 bits: what is odd is told as well.
            return json.dumps(told, default=repr)


def _tell_no_more_than_is_written() -> None:
    """Leave out of every record what no line of ours shows. Source: Python's Logging HOWTO, "Optimization"."""
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # noqa: SLF001 - it is how that is told


def _for_people() -> logging.Formatter:
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    return structlog.stdlib.ProcessorFormatter(
        # The sentence goes to `message`: `event` is the constant that each record brings in its extra.
        foreign_pre_chain=[structlog.processors.EventRenamer("message"), structlog.stdlib.ExtraAdder(), *shared],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.dev.ConsoleRenderer(event_key="message"),
        ],
    )
