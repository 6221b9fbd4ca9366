"""How records are written: JSON lines, or a console for people. The code logs with the standard library."""

from __future__ import annotations

import logging
import sys

import structlog

from chef_supervisor.settings import LogSettings


def configure(settings: LogSettings) -> None:
    """Send every record to standard error, as JSON or (on a terminal, or when asked for) as console lines."""
    console = settings.format == "console" or (settings.format == "auto" and sys.stderr.isatty())
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(console=console))
    logging.basicConfig(level=settings.level.upper(), handlers=[handler], force=True)
    # httptools says "Invalid HTTP request received" for every scan of the port.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    # They tell whom was called, with its path and the headers of its answer.
    for name in ("httpcore", "httpx"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _formatter(*, console: bool) -> structlog.stdlib.ProcessorFormatter:
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    render: list[structlog.typing.Processor] = (
        [structlog.dev.ConsoleRenderer(event_key="message")]
        if console
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    return structlog.stdlib.ProcessorFormatter(
        # The sentence goes to `message`: `event` is the constant that each record brings in its extra.
        foreign_pre_chain=[structlog.processors.EventRenamer("message"), structlog.stdlib.ExtraAdder(), *shared],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
    )
