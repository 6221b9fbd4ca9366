"""What a receiver of deliveries can suffer from. It answers, or does not, with very bytes on a real socket."""

from __future__ import annotations

import asyncio
import functools
import zlib
from collections.abc import Mapping, Sequence
from typing import Final

import attrs

from tests.kit.changing_names import METADATA
from tests.kit.raw_web import (
    Answering,
    drip_its_body,
    drip_its_head,
    flood,
    flood_of_headers,
    flood_of_heads,
    half_an_answer,
    nonsense,
    reset,
    says,
    silence,
)

RETRY_AFTER_S: Final = 1
TRAP: Final = "/trap"
_MEGABYTES: Final = 1000


@attrs.frozen(eq=False)
class Illness:
    """`takes`: the status that it sends, however it goes on, says that the delivery was taken."""

    name: str
    answering: Answering
    takes: bool = False


def _bomb() -> bytes:
    """Returns: a gigabyte, compressed to one megabyte: each part can be unpacked after any other."""
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS + 16)
    head = packer.compress(b"") + packer.flush(zlib.Z_FULL_FLUSH)
    part = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + part * _MEGABYTES


_BOMB: Final = _bomb()


def _explodes(status: int) -> Answering:
    async def answer(writer: asyncio.StreamWriter) -> None:
        headers = {"content-encoding": "gzip", "content-length": str(len(_BOMB)), "content-type": "application/json"}
        lines = [f"{name}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join([f"HTTP/1.1 {status} X", *lines, "", ""]).encode() + _BOMB)

    return answer


WELL: Final = Illness("well", says(204), takes=True)
BUSY: Final = Illness("busy", says(429, {"retry-after": str(RETRY_AFTER_S)}))
FAILING: Final[Sequence[Illness]] = (
    Illness("broken", says(500)),
    BUSY,
    Illness("silent", silence),
    Illness("cutting", reset),
    Illness("dripping head", drip_its_head),
    Illness("endless head", flood_of_headers),
    Illness("endless heads", flood_of_heads),
    Illness("endless error", functools.partial(flood, status=500)),
    Illness("bomb as an error", _explodes(500)),
    Illness("moved to metadata", says(307, {"location": f"http://{METADATA}/latest/meta-data/"})),
    Illness("moved next door", says(302, {"location": TRAP})),
    Illness("babbling", nonsense),
    Illness("half an answer", half_an_answer),
)
TAKING: Final[Sequence[Illness]] = (
    Illness("dripping body", drip_its_body, takes=True),
    Illness("endless body", flood, takes=True),
    Illness("bomb", _explodes(200), takes=True),
)
BY_NAME: Final[Mapping[str, Illness]] = {one.name: one for one in (WELL, *FAILING, *TAKING)}
