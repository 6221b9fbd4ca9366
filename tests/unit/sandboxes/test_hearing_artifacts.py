"""The contents of artifacts: as many bytes as were said, digested here, and nothing in between."""

from __future__ import annotations

import hashlib
import json

import pytest

from chef_supervisor.domain.outcome import Artifact
from chef_supervisor.domain.work import ArtifactData, Step, Work
from chef_supervisor.sandboxes.agent import frames
from chef_supervisor.sandboxes.hearing import Hearing
from chef_supervisor.sandboxes.wire import Garbled

STEP = Step(name="s", argv=("true",), timeout_s=1)
WORK = Work(files={}, steps=(STEP,), timeout_s=1, reports=("r",), max_artifacts=3, artifact_bytes=10)
STARTED = (frames.STARTED, frames.INDEX.pack(0))
VERDICT = (frames.VERDICT, json.dumps({"ended_by": "exit", "warnings": []}).encode())
REPORT = (frames.REPORT, frames.pack_named("r", b""))


def begun(path: str, size: object) -> tuple[int, bytes]:
    return frames.ARTIFACT, json.dumps({"path": path, "bytes": size}).encode()


def data(chunk: bytes) -> tuple[int, bytes]:
    return frames.DATA, chunk


def made(path: str, content: bytes) -> Artifact:
    return Artifact(path=path, bytes=len(content), sha256=hashlib.sha256(content).hexdigest())


def test_contents_come_in_pieces_and_the_last_one_tells_of_the_whole() -> None:
    hearing = Hearing(WORK)

    heard = [hearing.hear(*told) for told in (begun("dist/a", 5), data(b"ab"), data(b"cde"), begun("b", 0), VERDICT)]

    assert heard[:4] == [
        ArtifactData(path="dist/a", chunk=b""),
        ArtifactData(path="dist/a", chunk=b"ab"),
        ArtifactData(path="dist/a", chunk=b"cde", whole=made("dist/a", b"abcde")),
        ArtifactData(path="b", chunk=b"", whole=made("b", b"")),
    ]


def test_a_name_is_told_as_it_is_written_outside() -> None:
    heard = Hearing(WORK).hear(*begun("cafe\u0301", 0))

    assert isinstance(heard, ArtifactData)
    assert heard.path == "caf\u00e9"
    assert heard.whole == made("caf\u00e9", b"")


@pytest.mark.parametrize(
    "told",
    [
        pytest.param([begun("a", 11)], id="more than all may be"),
        pytest.param([begun("a", 6), data(b"123456"), begun("b", 5)], id="more than is left"),
        pytest.param([begun("a", 2), data(b"123")], id="more than was said"),
        pytest.param([begun("a", 2), data(b"12"), data(b"3")], id="more after the last"),
        pytest.param([begun("a", 0), data(b"")], id="data of an empty file"),
        pytest.param([data(b"1")], id="data of no file"),
        pytest.param([begun("a", 2), data(b"1"), VERDICT], id="a verdict in between"),
        pytest.param([begun("a", 2), data(b"1"), REPORT], id="a report in between"),
        pytest.param([begun("a", 2), data(b"1"), begun("b", 1)], id="another file in between"),
        pytest.param([begun("a", 0), begun("a", 0)], id="the same file twice"),
        pytest.param([begun("e\u0301", 0), begun("\u00e9", 0)], id="two spellings of a name"),
        pytest.param([begun("a", 0), begun("b", 0), begun("c", 0), begun("d", 0)], id="too many files"),
        pytest.param([STARTED, begun("a", 0)], id="a file while a step runs"),
        pytest.param([begun("a", -1)], id="less than nothing"),
        pytest.param([begun("a", True)], id="a size of true"),
        pytest.param([begun("a", "1")], id="a size in quotes"),
        pytest.param([begun(".chef/x", 1)], id="a file of ours"),
    ],
)
def test_the_impossible_is_garbled(told: list[tuple[int, bytes]]) -> None:
    hearing = Hearing(WORK)
    *before, last = told
    for frame in before:
        hearing.hear(*frame)

    with pytest.raises(Garbled):
        hearing.hear(*last)
