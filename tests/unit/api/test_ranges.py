"""Which bytes a header asks for."""

from __future__ import annotations

import pytest
from starlette.datastructures import Headers

from chef_supervisor.api.ranges import Unsatisfiable, wanted_range
from chef_supervisor.artifacts.content import ByteRange


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=0-", (0, 10)),
        ("bytes=3-5", (3, 6)),
        ("bytes=3-500", (3, 10)),
        ("bytes=-4", (6, 10)),
        ("bytes=-40", (0, 10)),
        (" bytes=9-9 ", (9, 10)),
    ],
)
def test_one_range_is_honoured(asked: str, expected: tuple[int, int]) -> None:
    start, end = expected

    assert wanted_range(Headers({"range": asked}), '"x"', 10) == ByteRange(start=start, end=end)


@pytest.mark.parametrize(
    "asked",
    ["", "bytes=", "bytes=-", "bytes=5-3", "bytes=0-1,3-4", "lines=1-2", "bytes=a-b", "bytes=0x1-2", "bytes=\u0661-"],
)
def test_what_means_nothing_is_as_if_it_were_not_there(asked: str) -> None:
    assert wanted_range(Headers(raw=[(b"range", asked.encode())]), '"x"', 10) is None


@pytest.mark.parametrize("asked", ["bytes=10-", "bytes=10-20", "bytes=-0"])
def test_a_range_without_a_byte_is_refused(asked: str) -> None:
    with pytest.raises(Unsatisfiable):
        wanted_range(Headers({"range": asked}), '"x"', 10)


def test_an_empty_file_has_no_range() -> None:
    with pytest.raises(Unsatisfiable):
        wanted_range(Headers({"range": "bytes=-5"}), '"x"', 0)


def test_a_part_of_another_content_is_not_sent() -> None:
    headers = {"range": "bytes=0-1"}

    assert wanted_range(Headers({**headers, "if-range": '"x"'}), '"x"', 10) is not None
    assert wanted_range(Headers({**headers, "if-range": '"y"'}), '"x"', 10) is None
    assert wanted_range(Headers({**headers, "if-range": "Tue, 15 Nov 1994 08:12:31 GMT"}), '"x"', 10) is None
