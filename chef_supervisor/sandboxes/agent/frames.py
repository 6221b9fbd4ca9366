"""
The frames between supervisor and agent, both ways; the one place where kinds and layouts stand.

A frame is [kind: u8][length: u32 big endian][length bytes]. Strings are UTF-8, objects JSON.

supervisor -> agent
    ORDER      {steps: [{argv, cwd, env, timeout_s, keep_going}], env, timeout_s, root, links_from, reports,
               artifact_globs, step_output_bytes, live_bytes_per_s, most_output_bytes, report_bytes, max_artifacts,
               artifact_bytes, limits: {nice, nproc, nofile, fsize}, most_disk_bytes, needs}
    FILE       [path length: u16][path][content]; the path is relative to `root`
    GO         empty: that was all. stdin stays open; its end means that the supervisor is gone
agent -> supervisor
    HELLO      {protocol}
    STARTED    [step: u32]
    OUTPUT     [step: u32][bytes]: the first that the step printed
    LIVE       [step: u32][skipped: u64][bytes]: some of what followed, for live readers; so many bytes before it, and
               after the last that was told, are not told live
    TAIL       [step: u32][bytes]: the last that it printed; right before its ENDED
    ENDED      {index, exit_code, ended_by, ms, dropped_bytes}
    REPORT     [path length: u16][path][content]
    ARTIFACT   {path, bytes}: its content follows at once, in DATA
    DATA       [bytes]
    VERDICT    {ended_by, warnings}: the last one
"""

from __future__ import annotations

import struct

ORDER, FILE, GO = 1, 2, 3
HELLO, STARTED, OUTPUT, LIVE, TAIL, ENDED, REPORT, ARTIFACT, DATA, VERDICT = 16, 17, 18, 19, 20, 21, 22, 23, 24, 25

PROTOCOL = 3
HELLO_PAYLOAD = b'{"protocol": %d}' % PROTOCOL

HEADER = struct.Struct(">BI")
INDEX = struct.Struct(">I")
PLACE = struct.Struct(">IQ")
_PATH_LENGTH = struct.Struct(">H")

# One frame of output carries at most so much, and one of an artifact; what is larger comes in several.
MAX_OUTPUT_CHUNK = 65_536
MAX_DATA_CHUNK = 262_144
MAX_JSON = 65_536
MAX_PATH_BYTES = 4096


def pack(kind: int, payload: bytes = b"") -> bytes:
    """Returns: one frame."""
    return HEADER.pack(kind, len(payload)) + payload


def pack_named(path: str, content: bytes) -> bytes:
    """Returns: the payload of FILE and REPORT."""
    name = path.encode()
    return _PATH_LENGTH.pack(len(name)) + name + content


def unpack_named(payload: bytes) -> tuple[str, bytes]:
    """
    Returns: path and content of FILE and REPORT.

    Raises:
        ValueError: the payload is cut short or its path is not UTF-8.
    """
    if len(payload) < _PATH_LENGTH.size:
        msg = "a record without a path"
        raise ValueError(msg)
    (length,) = _PATH_LENGTH.unpack_from(payload)
    end = _PATH_LENGTH.size + length
    if end > len(payload):
        msg = "a path longer than its record"
        raise ValueError(msg)
    return payload[_PATH_LENGTH.size : end].decode(), payload[end:]
