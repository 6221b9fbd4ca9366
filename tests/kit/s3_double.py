"""A small S3: objects in a dict, spoken to by the requests that a real client makes. Signatures are not looked at."""

from __future__ import annotations

import asyncio
import hashlib
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

import attrs
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

BUCKET = "bucket"
_RANGE = re.compile(r"bytes=(\d+)-(\d+)")


@attrs.define(eq=False)
class S3Double:
    """`uploads`: the parts of uploads that are neither completed nor aborted. While `failing`, every request fails."""

    objects: dict[str, bytes] = attrs.field(factory=dict)
    uploads: dict[str, dict[int, bytes]] = attrs.field(factory=dict)
    failing: bool = False
    largest_request_bytes: int = 0
    url: str = ""

    async def answer(self, request: Request) -> Response:
        if self.failing:
            return Response("<Error><Code>AccessDenied</Code><Message>made to fail</Message></Error>", 403)
        body, key = await request.body(), request.path_params.get("key", "")
        self.largest_request_bytes = max(self.largest_request_bytes, len(body))
        match request.method:
            case "GET" if not key:
                return self._list(request.query_params)
            case "GET" | "HEAD":
                return self._get(request, key)
            case "PUT":
                return self._put(request, key, body)
            case "POST":
                return self._post(request, key, body)
            case _:
                return self._delete(request, key)

    def _get(self, request: Request, key: str) -> Response:
        if key not in self.objects:
            return Response("<Error><Code>NoSuchKey</Code></Error>", 404)
        content, asked = self.objects[key], _RANGE.fullmatch(request.headers.get("range", ""))
        headers = {"etag": _etag(content), "last-modified": "Mon, 23 Nov 2026 12:00:00 GMT"}
        if asked is None:
            return Response(content, 200, headers)
        start, end = int(asked[1]), min(int(asked[2]), len(content) - 1)
        headers["content-range"] = f"bytes {start}-{end}/{len(content)}"
        return Response(content[start : end + 1], 206, headers)

    def _put(self, request: Request, key: str, body: bytes) -> Response:
        source = request.headers.get("x-amz-copy-source")
        if source is not None:
            copied = self.objects.get(source.removeprefix(f"/{BUCKET}/").removeprefix(f"{BUCKET}/"))
            if copied is None:
                return Response("<Error><Code>NoSuchKey</Code></Error>", 404)
            self.objects[key] = copied
            return _xml("CopyObjectResult", f"<ETag>{_etag(copied)}</ETag>")
        if (upload := request.query_params.get("uploadId")) is not None:
            self.uploads[upload][int(request.query_params["partNumber"])] = body
        else:
            self.objects[key] = body
        return Response(None, 200, {"etag": _etag(body)})

    def _post(self, request: Request, key: str, body: bytes) -> Response:
        if "delete" in request.query_params:
            gone = [node.text or "" for node in ET.fromstring(body).iter() if node.tag.endswith("Key")]
            for name in gone:
                self.objects.pop(name, None)
            return _xml("DeleteResult", "".join(f"<Deleted><Key>{escape(name)}</Key></Deleted>" for name in gone))
        if "uploads" in request.query_params:
            upload = f"upload-{len(self.uploads)}"
            self.uploads[upload] = {}
            return _xml("InitiateMultipartUploadResult", f"<UploadId>{upload}</UploadId>")
        parts = self.uploads.pop(request.query_params["uploadId"])
        self.objects[key] = b"".join(parts[number] for number in sorted(parts))
        return _xml("CompleteMultipartUploadResult", f"<ETag>{_etag(self.objects[key])}</ETag>")

    def _delete(self, request: Request, key: str) -> Response:
        if (upload := request.query_params.get("uploadId")) is not None:
            self.uploads.pop(upload, None)
        self.objects.pop(key, None)
        return Response(None, 204)

    def _list(self, query: object) -> Response:
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")  # type: ignore[attr-defined]
        found, folders = [], set()
        for key, content in sorted(self.objects.items()):
            if key.startswith(prefix):
                head, split, _ = key[len(prefix) :].partition(delimiter) if delimiter else (key, "", "")
                if split:
                    folders.add(f"{prefix}{head}{split}")
                else:
                    found.append(_entry(key, content))
        common = "".join(f"<CommonPrefixes><Prefix>{one}</Prefix></CommonPrefixes>" for one in sorted(folders))
        return _xml("ListBucketResult", f"<IsTruncated>false</IsTruncated>{''.join(found)}{common}")


def _entry(key: str, content: bytes) -> str:
    when = "<LastModified>2026-11-23T12:00:00.000Z</LastModified>"
    return (
        f"<Contents><Key>{escape(key)}</Key>{when}<ETag>{_etag(content)}</ETag><Size>{len(content)}</Size></Contents>"
    )


def _etag(content: bytes) -> str:
    return f'"{hashlib.md5(content).hexdigest()}"'


def _xml(root: str, inner: str) -> Response:
    return Response(f"<?xml version='1.0'?><{root}>{inner}</{root}>", 200, media_type="application/xml")


@asynccontextmanager
async def s3_double() -> AsyncIterator[S3Double]:
    """Yields: one that listens on a free port of this machine."""
    double = S3Double()
    route = Route(f"/{BUCKET}/{{key:path}}", double.answer, methods=["GET", "HEAD", "PUT", "POST", "DELETE"])
    bare = Route(f"/{BUCKET}", double.answer, methods=["GET", "POST"])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        double.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        config = uvicorn.Config(Starlette(routes=[route, bare]), log_config=None, lifespan="off")
        server = uvicorn.Server(config)
        async with asyncio.TaskGroup() as group:
            group.create_task(server._serve(sockets=[listener]))
            try:
                yield double
            finally:
                server.should_exit = True
