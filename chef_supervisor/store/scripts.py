"""
The scripts as Python sees them: which keys and arguments each takes. `scripts/lua_headers.py` holds them to the files.

A script takes a batch: arguments once for all (`argv`), then those of each item (`each`), and answers one reply per item.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

import attrs

FOLDER: Final = Path(__file__).parent / "lua"


@attrs.frozen(kw_only=True)
class Script:
    """
    A file in `lua/`. `uses` are the files of `lua/lib/` that are put before it, in that order.

    `allow_oom`: it goes through while the server's memory is full, because it ends or moves work.
    """

    name: str
    keys: tuple[str, ...]
    argv: tuple[str, ...]
    each: tuple[str, ...]
    uses: tuple[str, ...]
    allow_oom: bool = True


@cache
def source(script: Script, *, flags: bool) -> str:
    """Returns: the text to load; `flags` puts the shebang first that Redis knows from 7.0 on."""
    files = [FOLDER / "lib" / f"{name}.lua" for name in script.uses] + [FOLDER / f"{script.name}.lua"]
    shebang = "#!lua flags=allow-oom\n" if script.allow_oom else "#!lua\n"
    return (shebang if flags else "") + "\n".join(file.read_text(encoding="utf-8") for file in files)


_ENDS: Final = ("active", "completed", "failed", "latest")
_OUTBOX: Final = ("delivery:", "outbox:", "outboxes")
_TELLS: Final = ("later", "lanes", "outbox", "events")

SUBMIT: Final = Script(
    name="submit",
    keys=(
        *("job:", "payload:", "result:", "idem:", "pending", "delayed", "active", "completed", "failed", "turns"),
        *("latest", "orders", "events", "counters", "wake", *_OUTBOX),
    ),
    argv=("now_ms", "max_jobs", "max_bytes", "keep_ms", "idempotency_ms", "superseded_result"),
    each=(
        *("id", "type", "tenant", "priority", "bytes", "payload"),
        *("options", "attempts", "delay_ms", "supersedes", "idempotency", "body", "receivers"),
    ),
    uses=("clock", *_TELLS, "turns", "members", "ending", "cancelling", "idempotency", "queueing"),
    allow_oom=False,
)
CLAIM: Final = Script(
    name="claim",
    keys=(
        *("job:", "payload:", "claim:", "pending", "delayed", "active", "turns", "corrupt", "events", "counters"),
        *("wake", *_OUTBOX),
    ),
    argv=("now_ms", "latest_ms", "lease_ms", "reply_bytes", "instance"),
    each=("nonce", "slots"),
    uses=("allow_oom", "clock", "late", *_TELLS, "turns", "members", "requeue", "sweep", "setting_aside", "claiming"),
)
RENEW: Final = Script(
    name="renew",
    keys=("job:", "active"),
    argv=("now_ms", "lease_ms"),
    each=("id", "fence"),
    uses=("allow_oom", "clock", "fence"),
)
PROGRESS: Final = Script(
    name="progress",
    keys=("job:", "events", "counters", *_OUTBOX),
    argv=("now_ms",),
    each=("id", "fence", "percent"),
    uses=("allow_oom", "clock", *_TELLS, "fence"),
)
LOG: Final = Script(
    name="log",
    keys=("job:", "log:", "counters"),
    argv=("now_ms", "keep_bytes", "keep_ms"),
    each=("id", "fence", "pieces"),
    uses=("clock", "fence", "logging"),
    allow_oom=False,
)
FINISH: Final = Script(
    name="finish",
    keys=("job:", "payload:", "result:", "log:", *_ENDS, "events", "counters", "forgotten", *_OUTBOX),
    argv=("now_ms", "keep_jobs", "keep_ms", "keep_bytes"),
    each=("id", "fence", "status", "cause", "result"),
    uses=("allow_oom", "clock", *_TELLS, "fence", "ending", "shelves", "retention"),
)
RELEASE: Final = Script(
    name="release",
    keys=("job:", "pending", "active", "events", "counters", "wake", *_OUTBOX),
    argv=("now_ms",),
    each=("id", "fence"),
    uses=("allow_oom", "clock", *_TELLS, "fence", "members", "requeue"),
)
POSTPONE: Final = Script(
    name="postpone",
    keys=("job:", "result:", "pending", "delayed", *_ENDS, "events", "counters", "wake", *_OUTBOX),
    argv=("now_ms", "max_ruined_runs", "poisoned_result", "keep_ms"),
    each=("id", "fence", "blame", "reason", "delay_ms"),
    uses=("allow_oom", "clock", *_TELLS, "fence", "members", "requeue", "ending", "postponing"),
)
CANCEL: Final = Script(
    name="cancel",
    keys=("job:", "result:", "pending", "delayed", *_ENDS, "orders", "events", "counters", "wake", *_OUTBOX),
    argv=("now_ms", "keep_ms", "cancelled_result"),
    each=("id",),
    uses=("allow_oom", "clock", *_TELLS, "members", "requeue", "ending", "cancelling"),
)
TAKE_BACK: Final = Script(
    name="take_back",
    keys=("job:", "result:", "pending", "delayed", *_ENDS, "events", "counters", "wake", *_OUTBOX),
    argv=("now_ms", "latest_ms", "max_ruined_runs", "poisoned_result", "keep_ms"),
    each=("instance",),
    uses=("allow_oom", "clock", "late", *_TELLS, "members", "requeue", "ending", "postponing"),
)
REAP: Final = Script(
    name="reap",
    keys=(
        *("job:", "payload:", "result:", "log:", "pending", "delayed", "active", "completed", "failed", "turns"),
        *("latest", "corrupt", "events", "counters", "wake", "forgotten", *_OUTBOX),
    ),
    argv=(
        *("now_ms", "latest_ms", "lease_ms", "max_ruined_runs", "poisoned_result", "keep_jobs", "keep_ms"),
        "keep_bytes",
    ),
    each=("limit",),
    uses=(
        *("allow_oom", "clock", "late", *_TELLS, "turns", "members", "requeue", "ending", "postponing"),
        *("setting_aside", "promoting", "shelves", "retention"),
    ),
)
DUE: Final = Script(
    name="due",
    keys=("outboxes",),
    argv=("now_ms",),
    each=("offset", "limit"),
    uses=("allow_oom", "clock"),
)
DELIVER: Final = Script(
    name="deliver",
    keys=("job:", "claim:", *_OUTBOX, "disabled", "counters"),
    argv=("now_ms", "latest_ms", "lease_ms", "give_up_ms", "keep_ms"),
    each=("receiver", "nonce", "slots", "address"),
    uses=("allow_oom", "clock", "late", "lanes", "delivering", "leasing"),
)
DELIVERED: Final = Script(
    name="delivered",
    keys=("job:", *_OUTBOX, "disabled", "counters"),
    argv=("now_ms", "keep_ms"),
    each=("id", "receiver", "lease", "how", "delay_ms", "reason", "address"),
    uses=("allow_oom", "clock", "lanes", "delivering"),
)
REDELIVER: Final = Script(
    name="redeliver",
    keys=("job:", *_OUTBOX, "counters"),
    argv=("now_ms",),
    each=("id", "receiver"),
    uses=("allow_oom", "clock", "lanes"),
)
_OF_JOBS: Final = (SUBMIT, CLAIM, RENEW, PROGRESS, LOG, FINISH, RELEASE, POSTPONE, CANCEL, TAKE_BACK, REAP)
ALL: Final = (*_OF_JOBS, DUE, DELIVER, DELIVERED, REDELIVER)
