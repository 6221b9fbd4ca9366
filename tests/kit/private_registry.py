"""A registry of npm packages and wheels that nobody reads from without the token; one package in each."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import attrs

NAME: Final = "private-one"
_WHEEL: Final = "private_one-1.0.0-py3-none-any.whl"
_TARBALL: Final = f"{NAME}-1.0.0.tgz"


@attrs.define(eq=False)
class PrivateRegistry:
    """Listens on all addresses. `refused`: the requests that came without the token. Written by the server's threads."""

    port: int
    refused: list[str] = attrs.field(factory=list)
    served: list[str] = attrs.field(factory=list)


@contextmanager
def private_registry(token: str) -> Iterator[PrivateRegistry]:
    """Serve while the context lasts, to bearers of the token and to those who have it as their password."""
    registry = PrivateRegistry(0)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if not _allowed(self.headers.get("Authorization", ""), token):
                registry.refused.append(self.path)
                self._answer(401, b"", {"WWW-Authenticate": 'Basic realm="private"'})
                return
            content, kind = _content(self.path, self.headers["Host"])
            registry.served.append(self.path)
            self._answer(200 if content else 404, content, {"Content-Type": kind})

        def _answer(self, status: int, content: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        do_HEAD = do_GET  # noqa: N815  (the name that is looked for)

        def log_message(self, *_: Any) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("", 0), Handler)
    registry.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield registry
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _allowed(header: str, token: str) -> bool:
    kind, _, given = header.partition(" ")
    if kind == "Basic":
        given = base64.b64decode(given).decode().partition(":")[2]
    return given == token


def _content(path: str, host: str) -> tuple[bytes, str]:
    match path.rstrip("/").split("/")[1:]:
        case ["simple", "private-one"]:
            digest = hashlib.sha256(_wheel()).hexdigest()
            return f'<a href="/wheels/{_WHEEL}#sha256={digest}">{_WHEEL}</a>'.encode(), "text/html"
        case ["wheels", _]:
            return _wheel(), "application/octet-stream"
        case ["private-one"]:
            return json.dumps(_packument(host)).encode(), "application/json"
        case ["private-one", "-", _]:
            return _tarball(), "application/octet-stream"
        case _:
            return b"", "text/plain"


def _packument(host: str) -> dict[str, Any]:
    content = _tarball()
    sha512 = base64.b64encode(hashlib.sha512(content).digest()).decode()
    dist = {
        "tarball": f"http://{host}/{NAME}/-/{_TARBALL}",
        "integrity": f"sha512-{sha512}",
        "shasum": hashlib.sha1(content, usedforsecurity=False).hexdigest(),
    }
    version = {"name": NAME, "version": "1.0.0", "dist": dist}
    # Some take nothing that is younger than a few days.
    ages = dict.fromkeys(("created", "modified", "1.0.0"), "2020-01-01T00:00:00.000Z")
    return {"name": NAME, "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version}, "time": ages}


def _tarball() -> bytes:
    made = io.BytesIO()
    files = {"package.json": json.dumps({"name": NAME, "version": "1.0.0"}), "index.js": "module.exports = 'one'\n"}
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, text in files.items():
            header = tarfile.TarInfo(f"package/{name}")
            header.size = len(text)
            archive.addfile(header, io.BytesIO(text.encode()))
    return _gzipped(made.getvalue())


def _gzipped(content: bytes) -> bytes:
    # The same each time: its digest is told before it is sent.
    return gzip.compress(content, mtime=0)


def _wheel() -> bytes:
    info = "private_one-1.0.0.dist-info"
    files = {
        "private_one.py": "NAME = 'one'\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: private-one\nVersion: 1.0.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": "",
    }
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return made.getvalue()
