"""What is asked of the service with a job, and the body that says so."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

import attrs
import httpx

from chef_supervisor.client.calls import Body
from chef_supervisor.client.errors import Unfit

_JSON: Final = {"Content-Type": "application/json"}

# Path -> content; text and bytes may be mixed.
Files: TypeAlias = Mapping[str, str | bytes]


@attrs.frozen
class Archive:
    """A tar.gz, tar or zip of the project, as bytes. It is unpacked where the job runs, and nowhere else."""

    content: bytes = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class Changes:
    """The files of an earlier job of the same chat, but for some that changed, came, or went."""

    base_job_id: str
    changed: Files = attrs.field(factory=dict, repr=False)
    deleted: Sequence[str] = ()


@attrs.frozen
class Shown:
    """A variable that is no secret: every step sees it, and so may whoever reads the output."""

    value: str


@attrs.frozen(kw_only=True)
class OwnStep:
    """A step to run in place of the toolchain's. `run`: a line for the shell, or the words of a command."""

    name: str
    run: str | Sequence[str]


@attrs.frozen(kw_only=True)
class Options:
    """
    How a job is done; what is None or empty is as the service has it.

    Attributes:
        priority: 1 to 20, larger first; or `low`, `normal`, `high`, `critical`.
        timeout_ms: all steps together. step_timeout_ms: each.
        attempts: how often the project may be run until it succeeds.
        delay_ms: how long the job is not run.
        only_latest: the job takes the place of the last one of that chat and type that said so too.
        cache: the stored result of the same work will do.
        callback_url: where the job is told of, if the service allows the host.
        progress: whether receivers are told of its start and progress too.
        toolchain: its name, instead of the one that recognises the project.
        steps: instead of the toolchain's.
        artifacts: globs of the files to keep, instead of the toolchain's.
        env: name -> a secret, which the install alone sees; or `Shown`.
    """

    priority: int | str | None = None
    timeout_ms: int | None = None
    step_timeout_ms: int | None = None
    attempts: int | None = None
    delay_ms: int | None = None
    only_latest: bool = False
    cache: bool = False
    callback_url: str | None = attrs.field(default=None, repr=False)
    progress: bool = True
    toolchain: str | None = None
    steps: Sequence[OwnStep] = ()
    artifacts: Sequence[str] = ()
    env: Mapping[str, str | Shown] = attrs.field(factory=dict, repr=False)


def body_of(job_type: str, chat_id: str, project: Files | Archive | Changes, options: Options) -> Body:
    """
    Returns: the body of the call that submits it.

    Raises:
        Unfit: a path or text has characters that no JSON can hold.
    """
    job = _top(job_type, options)
    data = {"chatId": chat_id, **_wishes(options)}
    match project:
        case Archive(content):
            return _form(_json({**job, "data": data}), content)
        case Changes():
            data |= {
                "baseJobId": project.base_job_id,
                "changedFiles": _encoded(project.changed),
                "deletedPaths": list(project.deleted),
            }
        case _:
            data |= {"projectFiles": _encoded(project)}
    return Body(content=_json({**job, "data": data}), headers=_JSON)


def _top(job_type: str, options: Options) -> dict[str, Any]:
    asked = {
        "priority": options.priority,
        "timeoutMs": options.timeout_ms,
        "stepTimeoutMs": options.step_timeout_ms,
        "attempts": options.attempts,
        "delayMs": options.delay_ms,
        "dedupe": "latest" if options.only_latest else None,
        "cache": options.cache or None,
        "callbackUrl": options.callback_url,
        "progress": None if options.progress else False,
    }
    return {"type": job_type, **{name: value for name, value in asked.items() if value is not None}}


def _wishes(options: Options) -> dict[str, Any]:
    asked: dict[str, Any] = {
        "toolchain": options.toolchain,
        "steps": [{"name": step.name, "run": _run(step.run)} for step in options.steps],
        "artifacts": list(options.artifacts),
        "env": {name: _variable(value) for name, value in options.env.items()},
    }
    return {name: value for name, value in asked.items() if value}


def _run(run: str | Sequence[str]) -> str | list[str]:
    return run if isinstance(run, str) else list(run)


def _variable(value: str | Shown) -> str | dict[str, str | bool]:
    return {"value": value.value, "steps": True} if isinstance(value, Shown) else value


def _encoded(files: Files) -> dict[str, str | dict[str, str]]:
    return {path: _content(content) for path, content in files.items()}


def _content(content: str | bytes) -> str | dict[str, str]:
    if isinstance(content, str):
        return content
    try:
        return content.decode()
    except UnicodeDecodeError:
        return {"content": base64.b64encode(content).decode(), "encoding": "base64"}


def _json(document: object) -> bytes:
    try:
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError as error:
        raise Unfit(
            "a path, text or variable has characters that are none (lone surrogates); rename or mend it"
        ) from error


def _form(job: bytes, archive: bytes) -> Body:
    parts = {"job": (None, job, "application/json"), "archive": ("archive", archive, "application/octet-stream")}
    # Made once: another try would choose another boundary, and be another body for its Idempotency-Key.
    request = httpx.Request("POST", "http://unused.invalid", files=parts)
    return Body(content=request.read(), headers={"Content-Type": request.headers["content-type"]})
