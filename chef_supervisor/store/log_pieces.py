"""Pieces of a job's log as they lie in Redis: packed one by one, in a stream whose ids are their places."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chef_supervisor.domain.errors import Bug
from chef_supervisor.domain.job_log import LogPiece, LogPosition
from chef_supervisor.store import codec


def encode(pieces: Iterable[LogPiece]) -> bytes:
    """Returns: the pieces as the script takes them."""
    return b"".join(map(_encoded, pieces))


def decode(entry: tuple[bytes, Sequence[bytes]]) -> LogPiece:
    """
    Returns: the piece from an entry of the stream.

    Raises:
        Bug: it is none of ours.
    """
    position, flat = entry
    fields = dict(zip(flat[::2], flat[1::2], strict=True))
    try:
        run, _, end = position.decode().partition("-")
        content = codec.unpack_small(fields[b"bytes"])
        return LogPiece(run=int(run), step=fields[b"step"].decode(), end=int(end), content=content)
    except (KeyError, ValueError) as error:
        raise Bug(f"an entry of a log that is none: {error!r}") from error


def id_of(position: LogPosition) -> str:
    """Returns: the id of the entry that ends there, if any does."""
    return f"{position.run}-{position.at}"


def _encoded(piece: LogPiece) -> bytes:
    step, stored = piece.step.encode(errors="replace"), codec.pack_small(piece.content)
    return b"%d %d %d %d\n%b%b" % (piece.end, len(piece.content), len(step), len(stored), step, stored)
