"""How much of an answer is read, and how much of a resolver's is used."""

from __future__ import annotations

import gzip
import socket
from collections.abc import AsyncIterator, Sequence

import httpcore
import pytest

from chef_supervisor.webhooks.no_answer import NoAnswer
from chef_supervisor.webhooks.pinned import Pinned
from chef_supervisor.webhooks.reading import MOST_ANSWER_BYTES, read_a_little
from chef_supervisor.webhooks.target import Target

LONG_S = 60.0
TARGET = Target(scheme="https", host="hooks.example.com", port=443, path="/")


class Endless:
    def __init__(self, part: bytes) -> None:
        self.part, self.read_bytes, self.closed = part, 0, False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            self.read_bytes += len(self.part)
            yield self.part

    async def aclose(self) -> None:
        self.closed = True


@pytest.mark.asyncio
async def test_no_more_of_an_answer_is_read_than_4_kib() -> None:
    stream = Endless(bytes(1024))

    await read_a_little(httpcore.Response(200, content=stream), LONG_S)

    assert stream.read_bytes <= MOST_ANSWER_BYTES + 1024
    assert stream.closed


@pytest.mark.asyncio
async def test_what_is_compressed_counts_as_it_came() -> None:
    stream = Endless(gzip.compress(bytes(100_000)))

    await read_a_little(httpcore.Response(200, headers={"content-encoding": "gzip"}, content=stream), LONG_S)

    assert MOST_ANSWER_BYTES < stream.read_bytes <= MOST_ANSWER_BYTES + len(stream.part)


class Fixed:
    def __init__(self, found: Sequence[str] | OSError) -> None:
        self.found = found

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        if isinstance(self.found, OSError):
            raise self.found
        return self.found

    def close(self) -> None:
        pass


@pytest.mark.asyncio
async def test_all_addresses_are_judged_and_the_first_four_are_used() -> None:
    judged: list[str] = []
    found = [f"192.0.2.{number}" for number in range(9)]

    used = await Pinned(Fixed(found), lambda address: not judged.append(address)).addresses(TARGET)  # type: ignore[func-returns-value]

    assert judged == found
    assert used == found[:4]


@pytest.mark.parametrize(("count", "reason"), [(64, ""), (65, "refused_by_policy")])
@pytest.mark.asyncio
async def test_a_name_with_more_addresses_than_anybody_needs_is_refused_before_they_are_judged(
    count: int, reason: str
) -> None:
    judged: list[str] = []
    pinned = Pinned(Fixed([f"192.0.2.{number}" for number in range(count)]), lambda one: not judged.append(one))  # type: ignore[func-returns-value]
    said = ""

    try:
        await pinned.addresses(TARGET)
    except NoAnswer as trouble:
        said = trouble.reason

    assert said == reason
    assert len(judged) == (0 if reason else count)


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (socket.gaierror(socket.EAI_NONAME, "secret"), "unknown_host"),
        (socket.gaierror(socket.EAI_NODATA, "secret"), "unknown_host"),
        (socket.gaierror(socket.EAI_AGAIN, "secret"), "dns_failed"),
        ([], "unknown_host"),
        (["fe80::1%eth0"], "unknown_host"),
    ],
)
@pytest.mark.asyncio
async def test_a_name_without_addresses_is_told_by_a_word(found: Sequence[str] | OSError, reason: str) -> None:
    with pytest.raises(NoAnswer) as trouble:
        await Pinned(Fixed(found), lambda _: True).addresses(TARGET)

    assert trouble.value.reason == reason
    assert trouble.value.__suppress_context__ or trouble.value.__context__ is None
