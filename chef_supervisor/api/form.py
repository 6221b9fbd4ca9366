"""
A `multipart/form-data` body (RFC 7578) -> the two parts that are known here: `job` and `archive`.

It is cut as it comes, into memory alone: what bounds the body bounds the parts. An archive is not looked into.
"""

from __future__ import annotations

import logging
from typing import Final

import attrs
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from chef_supervisor.domain.errors import BadRequest, Unprocessable

# It tells of every malformed byte, and a caller may send many.
logging.getLogger("python_multipart").setLevel(logging.CRITICAL)

JOB: Final = "job"
ARCHIVE: Final = "archive"
_PARTS: Final = (JOB, ARCHIVE)
# Source: RFC 7578, 4.7: transfer encodings are deprecated; these three change nothing.
_CODINGS: Final = ("", "7bit", "8bit", "binary")
# Those that are none of ours are read over, and that takes its time.
_MAX_PARTS: Final = 20
_MAX_HEADERS: Final = 8
_MAX_HEADER_BYTES: Final = 1024
_MAX_SHOWN: Final = 50


@attrs.define(eq=False)
class _Part:
    """The part that is being read; `chunks` is None where it is none of ours."""

    headers: dict[str, str] = attrs.field(factory=dict)
    field: bytearray = attrs.field(factory=bytearray)
    value: bytearray = attrs.field(factory=bytearray)
    chunks: list[bytes] | None = None


class Form:
    """
    Takes one body, piece by piece.

    A wrong part does not end the reading: a client that has sent all it has to say reads the answer.
    """

    def __init__(self, boundary: bytes) -> None:
        self._parts: dict[str, list[bytes]] = {}
        self._part = _Part()
        self._begun = 0
        self._fault: Unprocessable | None = None
        self._ended = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._header_field,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_headers_finished": self._headers_finished,
                "on_part_data": self._content,
                "on_end": self._end,
            },
            max_header_count=_MAX_HEADERS,
            max_header_size=_MAX_HEADER_BYTES,
        )

    def feed(self, chunk: bytes) -> None:
        """
        Take the next bytes.

        Raises:
            BadRequest: `invalid_multipart`.
        """
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise _malformed(str(error)[:200]) from error

    def parts(self) -> tuple[bytes, bytes]:
        """
        Returns: the contents of `job` and `archive`, once the whole body was taken.

        Raises:
            BadRequest: `invalid_multipart`: the last boundary is missing.
            Unprocessable: `unknown_part`, `duplicate_part`, `missing_part`, `invalid_part`.
        """
        if not self._ended:
            raise _malformed("the body ends before its closing boundary")
        if self._fault is not None:
            raise self._fault
        for name in _PARTS:
            if name not in self._parts:
                raise Unprocessable("missing_part", name, f"is missing; send the parts {' and '.join(_PARTS)}")
        return b"".join(self._parts[JOB]), b"".join(self._parts[ARCHIVE])

    def _begin(self) -> None:
        self._begun += 1
        if self._begun > _MAX_PARTS:
            raise _malformed(f"it has more than {_MAX_PARTS} parts; send the parts {' and '.join(_PARTS)}")
        self._part = _Part()

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._part.field += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._part.value += data[start:end]

    def _header_end(self) -> None:
        part = self._part
        part.headers[part.field.decode("latin-1").lower()] = part.value.decode("latin-1")
        part.field.clear()
        part.value.clear()

    def _headers_finished(self) -> None:
        name = self._name()
        if name not in _PARTS:
            self._refuse("unknown_part", name, f"known here: {', '.join(_PARTS)}")
        elif name in self._parts:
            self._refuse("duplicate_part", name, "is there twice")
        elif self._part.headers.get("content-transfer-encoding", "").strip().lower() not in _CODINGS:
            self._refuse("invalid_part", name, "send it as it is, without Content-Transfer-Encoding")
        else:
            self._part.chunks = self._parts[name] = []

    def _name(self) -> str:
        kind, options = parse_options_header(self._part.headers.get("content-disposition"))
        if kind != b"form-data" or b"name" not in options:
            raise _malformed("a part has no Content-Disposition: form-data with a name")
        # Names are UTF-8 (RFC 7578, 5.1); one that is not is none of ours.
        return options[b"name"].decode(errors="replace")

    def _content(self, data: bytes, start: int, end: int) -> None:
        if self._part.chunks is not None:
            self._part.chunks.append(data[start:end])

    def _end(self) -> None:
        self._ended = True

    def _refuse(self, code: str, name: str, detail: str) -> None:
        self._fault = self._fault or Unprocessable(code, name[:_MAX_SHOWN], detail)


def _malformed(detail: str) -> BadRequest:
    return BadRequest("invalid_multipart", detail)
