"""The agent's whole life: order, files, steps, reports, artifacts, verdict."""

from __future__ import annotations

import errno
import json
import os

from . import beneath
from .channel import Channel, SupervisorGone
from .collect import Artifacts, send_reports
from .evidence import Gauge
from .frames import FILE, GO, ORDER, VERDICT, unpack_named
from .links import link_compiled, link_modules
from .order import Order, read_order
from .protect import OomScore, be_undumpable
from .steps import DISK_FULL, KILLED, Steps
from .usage import DiskUse

DEPENDENCIES_GONE = "dependencies_gone"
_EX_IOERR, _EX_PROTOCOL = 74, 76
_SCRATCH = ("/workspace", "/tmp")  # noqa: S108  (the box's own)


def main(channel: Channel) -> int:
    """Returns: the exit status; 0 once the verdict is sent."""
    # Opened first: once we are undumpable, the file is not ours any more.
    score = OomScore()
    be_undumpable()
    try:
        kind, payload = channel.receive()
        if kind != ORDER:
            return _EX_PROTOCOL
        order = read_order(payload)
        root = _open_root(order.root)
        trouble = _take_files(channel, root) or _make_links(order)
    except SupervisorGone:
        return _EX_IOERR
    if order.needs is not None and not os.path.isdir(order.needs):
        _send_verdict(channel, DEPENDENCIES_GONE, [])
        return 0
    if trouble is not None:
        _send_verdict(channel, DISK_FULL if trouble.errno == errno.ENOSPC else KILLED, [f"cannot begin: {trouble}"])
        return 0
    _work(channel, root, order, score)
    return 0


def _take_files(channel: Channel, root: int) -> OSError | None:
    """Returns: what kept a file from being written; all frames up to GO are taken even then."""
    trouble: OSError | None = None
    while True:
        kind, payload = channel.receive()
        if kind == GO:
            return trouble
        if kind == FILE and trouble is None:
            path, content = unpack_named(payload)
            try:
                beneath.write_file(root, path, content)
            except beneath.Escapes:
                trouble = OSError(errno.EPERM, "the path leaves the workspace", path)
            except OSError as error:
                trouble = error


def _open_root(root: str) -> int:
    # Held open until the end, so that a step cannot put another folder in its place.
    os.makedirs(root, exist_ok=True)
    return os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def _make_links(order: Order) -> OSError | None:
    try:
        for name in ("HOME", "TMPDIR"):
            if name in os.environ:
                os.makedirs(os.environ[name], exist_ok=True)
        if order.links_from is not None:
            link_modules(order.root, order.links_from)
            link_compiled(order.links_from, os.environ.get("TMPDIR", "/tmp"))  # noqa: S108  (the box's own)
    except OSError as error:
        return error
    return None


def _work(channel: Channel, root: int, order: Order, score: OomScore) -> None:
    folders, disk = [order.root, *_SCRATCH], DiskUse(order.root, order.most_disk_bytes)
    steps = Steps(channel, order, Gauge(folders, order.limits.nproc, disk), score)
    steps.run()
    send_reports(channel, root, order)
    artifacts = Artifacts(channel, root, order)
    artifacts.send()
    if artifacts.left_out:
        steps.warnings.append(f"{artifacts.left_out} files that match an artifact pattern were left out")
    _send_verdict(channel, steps.ended_by, steps.warnings)


def _send_verdict(channel: Channel, ended_by: str, warnings: list[str]) -> None:
    verdict = {"ended_by": ended_by, "warnings": [text[:500] for text in warnings[:20]]}
    channel.send(VERDICT, json.dumps(verdict).encode())
