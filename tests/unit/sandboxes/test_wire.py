"""Bytes to frames and back: whole, bounded, however they are cut."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chef_supervisor.domain.work import Step, Work
from chef_supervisor.sandboxes.agent import frames
from chef_supervisor.sandboxes.agent.order import LimitOrder, read_order
from chef_supervisor.sandboxes.wire import FrameReader, Garbled, answer_limits, encode_work

STEP = Step(name="s", argv=("a", "b"), timeout_s=1.5, env={"K": "V"}, keep_going=True)
WORK = Work(files={"ü/x": b"\0\xff", "y": bytes(1 << 19)}, steps=(STEP,), timeout_s=2, reports=("r",), report_bytes=100)


@given(st.lists(st.binary(max_size=50)), st.integers(1, 20))
def test_frames_come_out_whole_however_the_stream_is_cut(payloads: list[bytes], cut: int) -> None:
    stream = b"".join(frames.pack(frames.OUTPUT, payload) for payload in payloads)
    reader = FrameReader({frames.OUTPUT: 50})

    heard = [frame for at in range(0, len(stream), cut) for frame in reader.feed(stream[at : at + cut])]

    assert heard == [(frames.OUTPUT, payload) for payload in payloads]


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(frames.HEADER.pack(frames.OUTPUT, 0xFFFFFFFF), id="four gigabytes"),
        pytest.param(frames.HEADER.pack(frames.STARTED, 5), id="one byte too many"),
        pytest.param(frames.HEADER.pack(frames.HELLO, 0), id="hello again"),
        pytest.param(frames.HEADER.pack(frames.ORDER, 0), id="an order to us"),
        pytest.param(frames.HEADER.pack(0, 0), id="kind 0"),
        pytest.param(b"HTTP/1.1 200 OK\r\n", id="another protocol"),
    ],
)
def test_a_frame_is_refused_as_soon_as_its_header_is_there(header: bytes) -> None:
    reader = FrameReader(answer_limits(WORK))

    with pytest.raises(Garbled):
        list(reader.feed(header))


@given(st.binary(max_size=200))
def test_noise_is_frames_or_garbled_and_nothing_else(noise: bytes) -> None:
    reader = FrameReader(answer_limits(WORK))

    try:
        frames_heard = list(reader.feed(noise))
    except Garbled:
        return

    assert sum(len(payload) for _, payload in frames_heard) <= len(noise)


def test_the_agent_reads_what_the_supervisor_writes() -> None:
    stream = b"".join(encode_work(WORK, {"nproc": 7}))

    reader = FrameReader(dict.fromkeys((frames.ORDER, frames.FILE, frames.GO), 1 << 20))
    (kind, payload), *files, go = reader.feed(stream)
    order = read_order(payload)

    assert (kind, go) == (frames.ORDER, (frames.GO, b""))
    assert (order.steps[0].argv, order.steps[0].env, order.steps[0].keep_going) == (["a", "b"], {"K": "V"}, True)
    assert (order.timeout_s, order.reports, order.limits) == (2, ["r"], LimitOrder(nproc=7))
    assert dict(frames.unpack_named(content) for _, content in files) == WORK.files


def test_large_work_is_written_in_pieces() -> None:
    pieces = list(encode_work(Work(files={str(n): bytes(1 << 16) for n in range(64)}, steps=(), timeout_s=1), {}))

    assert len(pieces) > 5
    assert max(map(len, pieces)) < 1 << 20


@pytest.mark.parametrize("payload", [b"", b"\0", b"\0\x05abc", b"\0\x01\xff"])
def test_a_broken_record_is_a_value_error(payload: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        frames.unpack_named(payload)


def test_the_hello_is_json() -> None:
    assert json.loads(frames.HELLO_PAYLOAD) == {"protocol": frames.PROTOCOL}
