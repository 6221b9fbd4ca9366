"""`chef-supervisor submit`: sends a project as jobs, waits for them, and tells what was found."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import click

from chef_supervisor.cli.exits import Exit, FaultIsUnknown, exit_for
from chef_supervisor.cli.submission import Submission
from chef_supervisor.cli.wanted import Wanted, read_priority, read_seconds, read_secrets, read_shown, read_types
from chef_supervisor.cli.watching import open_watch
from chef_supervisor.client import ClientError, Options, Shown

_MS: Final = 1000


@click.command()
@click.argument("path", type=click.Path(exists=True, allow_dash=True, path_type=Path))
@click.option("--type", "types", required=True, callback=read_types, help="build, test, lint, analyze; with commas.")
@click.option("--url", envvar="CHEF_URL", help="The service; else CHEF_URL, else http://127.0.0.1:PORT (3001).")
@click.option("--port", envvar="PORT", hidden=True, default="3001")
@click.option("--chat-id", default="cli", show_default=True, help="Whose jobs they are: these take turns with others.")
@click.option("--priority", callback=read_priority, help="1 to 20, or low, normal, high, critical.")
@click.option(
    "--timeout", type=click.FloatRange(min=1), callback=read_seconds, help="Seconds for all steps of a job together."
)
@click.option("--toolchain", help="Its name, instead of the one that recognises the project.")
@click.option("--cache", is_flag=True, help="The stored result of the same work will do.")
@click.option("--env", multiple=True, callback=read_secrets, help="NAME=VALUE, or NAME: a secret of the install alone.")
@click.option("--env-public", multiple=True, callback=read_shown, help="NAME=VALUE: no secret; every step sees it.")
@click.option("--callback-url", help="An address that is told of the jobs; the service must allow its host.")
@click.option("--no-progress-events", is_flag=True, help="Receivers are told of the ends of the jobs alone.")
@click.option("--artifacts", type=click.Path(file_okay=False, path_type=Path), help="Save what the jobs made there.")
@click.option(
    "--max-wait", type=click.FloatRange(min=0), callback=read_seconds, help="Seconds after which waiting ends (exit 3)."
)
@click.option(
    "--patience",
    type=click.FloatRange(min=0),
    callback=read_seconds,
    default=60.0,
    show_default=True,
    help="Seconds to try again.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the jobs as JSON, and nothing else on stdout.")
@click.option("--no-wait", is_flag=True, help="Print the ids of the jobs and leave.")
@click.option("--logs", is_flag=True, help="Tell what the steps print, on stderr, while they do.")
def submit(
    *,
    path: Path,
    types: tuple[str, ...],
    url: str | None,
    port: str,
    chat_id: str,
    priority: int | str | None,
    timeout: float | None,
    toolchain: str | None,
    cache: bool,
    env: Mapping[str, str],
    env_public: Mapping[str, Shown],
    callback_url: str | None,
    no_progress_events: bool,
    artifacts: Path | None,
    max_wait: float | None,
    patience: float,
    as_json: bool,
    no_wait: bool,
    logs: bool,
) -> None:
    """
    Send the project PATH as one job of each type, wait for their ends, and tell what was found.

    PATH is a folder, of which goes what git would not ignore (never .git and node_modules), or an archive (.tar.gz,
    .tar, .zip; - is one on the standard input).

    Exit codes: 0 all passed or had nothing to do; 1 a job failed; 2 wrong usage, or the service refused; 3 it could not
    be found out.
    """
    if no_wait and (artifacts or logs):
        raise click.UsageError(
            "--no-wait leaves before there is anything for --artifacts or --logs; leave one of them out"
        )
    options = Options(
        priority=priority,
        timeout_ms=None if timeout is None else int(timeout * _MS),
        cache=cache,
        callback_url=callback_url,
        progress=not no_progress_events,
        toolchain=toolchain,
        env={**env, **env_public},
    )
    wanted = Wanted(
        path=path,
        types=types,
        url=url or f"http://127.0.0.1:{port}",
        chat_id=chat_id,
        options=options,
        artifacts=artifacts,
        max_wait_s=max_wait,
        patience_s=patience,
        waits=not no_wait,
        as_json=as_json,
        logs=logs,
    )
    with FaultIsUnknown():
        sys.exit(_run(wanted))


def _run(wanted: Wanted) -> Exit:
    with open_watch() as watch:
        submission = Submission(wanted, watch)
        code = _watched(submission)
    _print_whatever()
    # Bars that are still drawn would draw over it. Whoever read its beginning may have had enough.
    with suppress(BrokenPipeError):
        submission.tell()
        sys.stdout.flush()
    return code


def _print_whatever() -> None:
    # A terminal that has no letter for something must not keep the rest from being told.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _watched(submission: Submission) -> Exit:
    try:
        # Outside of the loop, which an interrupt could not end while this waits for the standard input.
        project = submission.gather()
        return asyncio.run(submission.run(project))
    except ClientError as error:
        submission.watch.say(str(error))
        return exit_for(error)
    except KeyboardInterrupt:
        submission.watch.say(submission.where_it_stands())
        return Exit.UNKNOWN
