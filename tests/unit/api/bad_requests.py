"""Bodies and headers that must be refused: what is sent, and the status and code expected."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import attrs
import orjson
import pytest

from tests.unit.api.api_kit import data, job_body

_JSON = {"content-type": "application/json"}


@attrs.frozen(kw_only=True)
class Bad:
    """One POST. `path`: the field the problem must name."""

    name: str
    body: bytes
    status: int
    code: str
    path: str = ""
    headers: dict[str, str] = attrs.field(factory=lambda: dict(_JSON))


def _raw(code: str, bodies: dict[str, bytes]) -> list[Bad]:
    return [Bad(name=name, body=body, status=400, code=code) for name, body in bodies.items()]


def bad_fields(code: str, path: str, changes: dict[str, dict[str, Any]], status: int = 422) -> list[Bad]:
    return [
        Bad(name=name, body=orjson.dumps(job_body(**change)), status=status, code=code, path=path)
        for name, change in changes.items()
    ]


def _absent(key: str) -> dict[str, Any]:
    return {key: None}


def each(key: str, values: Iterable[Any]) -> dict[str, dict[str, Any]]:
    return {repr(value): {key: value} for value in values}


def _each_data(key: str, values: Iterable[Any]) -> dict[str, dict[str, Any]]:
    return {repr(value): {"data": data({"a": "b"}) | {key: value}} for value in values}


def _null(key: str) -> bytes:
    return orjson.dumps(job_body() | {key: None})


def job_with_files(files: dict[str, Any]) -> bytes:
    return orjson.dumps(job_body(data=data(files)))


def _files(code: str, files: dict[str, Any], status: int = 422) -> list[Bad]:
    return [Bad(name=name, body=job_with_files(value), status=status, code=code) for name, value in files.items()]


def _paths(code: str, *paths: str) -> list[Bad]:
    return _files(code, {f"{path[:20]} of {len(path)}": {path: "x"} for path in paths})


def _media(*types: str | None) -> list[Bad]:
    return [
        Bad(
            name=str(kind),
            body=orjson.dumps(job_body()),
            status=415,
            code="unsupported_media_type",
            headers={} if kind is None else {"content-type": kind},
        )
        for kind in types
    ]


_GOOD = json.dumps(job_body())
_NESTED = {f"{depth}": b'{"data":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}" for depth in (17, 1_000, 100_000)}

BAD_POSTS = [
    *_raw("invalid_json", {"empty": b""}),
    *_raw(
        "invalid_json",
        {
            "spaces": b"   ",
            "nul": b"nul",
            "open": b"{",
            "comma": b'{"a":1,}',
            "quotes": b"{'a':1}",
            "two": b"{}{}",
            "nul after": b"{}\x00",
            "comment": b"{}//",
        },
    ),
    *_raw(
        "invalid_encoding",
        {code: _GOOD.encode(code) for code in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")},
    ),
    *_raw("invalid_encoding", {"bom": b"\xef\xbb\xbf" + _GOOD.encode()}),
    *_raw("invalid_encoding", {"ff": b'{"type":"\xff"}', "surrogate": b'"\xed\xa0\x80"', "overlong": b'"\xc0\x80"'}),
    *_raw("invalid_json", {"control": b'{"type":"a\nb"}'}),
    *_raw("invalid_json", {text: f'{{"priority":{text}}}'.encode() for text in ("NaN", "Infinity", "-Infinity")}),
    *_raw("invalid_json", {"huge": b'{"priority":1e999}', "digits": b'{"priority":' + b"1" * 5_000 + b"}"}),
    *_raw("invalid_json", {"lone surrogate": b'{"type":"\\ud800"}', "lone low": b'{"type":"\\udc00"}'}),
    *[
        Bad(
            name=text,
            body=_GOOD.replace("{", f'{{"priority":{text},', 1).encode(),
            status=422,
            code="invalid_priority",
            path="priority",
        )
        for text in ("9007199254740993", "1e3", "1.0", "-0", "0")
    ],
    *bad_fields(
        "invalid_priority",
        "priority",
        each("priority", (True, False, "1", "HIGH", "", [], {}, [5])),
    ),
    Bad(name="null", body=_null("priority"), status=422, code="invalid_priority", path="priority"),
    *bad_fields("invalid_priority", "priority", each("priority", (-1, 21, 2**31, 2**64 - 1))),
    Bad(
        name="2^64",
        body=_GOOD.replace("{", '{"priority":18446744073709551616,', 1).encode(),
        status=422,
        code="invalid_priority",
    ),
    *[Bad(name=text, body=text.encode(), status=422, code="invalid_body") for text in ("[]", '"x"', "1", "null")],
    *_raw("json_too_deep", _NESTED),
    *_raw("json_too_deep", {"unclosed": b"[" * 100_000, "objects": b'{"a":' * 20 + b"1" + b"}" * 20}),
    *_raw("json_too_large", {"values": b"[" + b"[]," * 300_000 + b"1]"}),
    *_raw(
        "duplicate_key",
        {
            "type": b'{"type":"build",' + _GOOD.encode()[1:],
            "data": b'{"data":{},' + _GOOD.encode()[1:],
            "file": _GOOD.replace('{"a.txt"', '{"a.txt": "b", "a.txt"').encode(),
            "escaped": _GOOD.replace('{"a.txt"', '{"\\u0061.txt": "b", "a.txt"').encode(),
            "escaped colon": _GOOD.replace('{"a.txt"', '{"a.txt": ":\\u003a", "a.txt"').encode(),
            "balanced colon": _GOOD.replace('{"a.txt": "a"', '{"a.txt": "b", "a.txt": "\\u003A"').encode(),
        },
    ),
    *bad_fields("missing_field", "type", {"type": _absent("type")}),
    *bad_fields(
        "invalid_type",
        "type",
        each("type", ("BUILD", "build ", "deploy", "", "build\x00")),
    ),
    *bad_fields("invalid_type", "type", each("type", (5, ["build"], {}, True))),
    Bad(name="null", body=_null("type"), status=422, code="invalid_type", path="type"),
    *bad_fields("invalid_data", "data", each("data", ([], "x", 1))),
    *bad_fields("invalid_data", "data", {"absent": _absent("data")}),
    Bad(name="null", body=_null("data"), status=422, code="invalid_data", path="data"),
    *bad_fields(
        "invalid_chat_id",
        "data.chatId",
        _each_data("chatId", (None, "", "c" * 300, 1, [], {})),
    ),
    *bad_fields("invalid_chat_id", "data.chatId", {"absent": {"data": {"projectFiles": {"a": "b"}}}}),
    *bad_fields(
        "invalid_chat_id",
        "data.chatId",
        _each_data("chatId", ("../x", "a:b", "{x}", "*", "a\r\nb", "a\x00", "\u202e", "..", ".", "a b", "é", "a\n")),
    ),
    *bad_fields(
        "invalid_project_files",
        "data.projectFiles",
        _each_data("projectFiles", ([], None, "x", 1)),
    ),
    *bad_fields("invalid_project_files", "data.projectFiles", {"absent": {"data": {"chatId": "c"}}}),
    *bad_fields("no_files", "data.projectFiles", {"empty": {"data": data({})}}),
    *_files("no_files", {"folders": {"/home/project/src": {"type": "folder"}, "/home/project/a": None}}),
    *_files(
        "invalid_file_content",
        {
            repr(value): {"a.txt": value}
            for value in (
                None,
                1,
                True,
                {},
                [104, 105],
                {"content": None},
                {"content": 5},
                {"content": "x", "encoding": "latin-1"},
                {"content": "x", "encoding": None},
                {"content": "not base64!", "encoding": "base64"},
                {"content": "é", "encoding": "base64"},
                {"type": "symlink", "content": "/etc/passwd"},
                {"type": "file", "content": "x", "isBinary": True},
            )
        },
    ),
    *_paths("invalid_path", "", "/", ".", "..", "/home/project/", "/home/project"),
    *_paths("invalid_path", "/etc/passwd", "/home/project2/x", "/home/project//etc/passwd", "//x"),
    *_paths("invalid_path", "../../x", "a/../../x", "a/./b", "a//b", "a/", "/home/project/../x"),
    *_paths("invalid_path", "..\\..\\x", "C:\\x", "C:x", "a\\b"),
    *_paths("invalid_path", "a\x00b", "a\nb", "a\x1bb", "a\x7fb", "a\u202eb"),
    *_paths("path_too_long", "a/" * 8 + "b" * 500, "/".join("a" * 17), "s" * 256),
    *_paths("reserved_path", ".chef/run", ".chef"),
    *_files("too_many_files", {"2,001": {f"f{i}": "" for i in range(2_001)}}),
    *_files("file_too_large", {"text": {"a": "x" * (5_242_880 + 1)}}, status=413),
    *_files("payload_too_large", {"total": {f"f{i}": "x" * 5_000_000 for i in range(3)}}, status=413),
    *bad_fields("unknown_field", "callbackURL", {"callbackURL": {"callbackURL": "https://example.org"}}),
    *bad_fields("unknown_field", "__proto__", {"__proto__": {"__proto__": {}}}),
    *_media(None, "", "text/plain", "multipart/mixed; boundary=x", "application/x-www-form-urlencoded", "json"),
    *_media("application/json, text/plain", "application/jsonp", "application/json; boundary=x"),
    *_media("application/json; charset=utf-16", "application/json; charset=latin-1"),
    Bad(
        name="gzip",
        body=b"\x1f\x8b",
        status=415,
        code="unsupported_media_type",
        headers=_JSON | {"content-encoding": "gzip"},
    ),
]

PARAMETERS = [pytest.param(bad, id=f"{bad.code}: {bad.name}"[:60]) for bad in BAD_POSTS]
