"""The body of `POST /api/jobs` in the two ways it may come: JSON, or a form of JSON and an archive."""

from __future__ import annotations

import hashlib
import re
from typing import Final

import attrs
from python_multipart.multipart import parse_options_header
from starlette.requests import Request

from chef_supervisor.api.body import read_body, receive_body, require_json, require_plain
from chef_supervisor.api.form import ARCHIVE, Form
from chef_supervisor.api.own_page import require_own_page
from chef_supervisor.api.responses import JSON
from chef_supervisor.domain.errors import BadRequest, Unprocessable
from chef_supervisor.settings import HttpSettings

_FORM: Final = b"multipart/form-data"
# Source: RFC 2046, 5.1.1.
_BOUNDARY: Final = re.compile(rb"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_GZIP: Final = b"\x1f\x8b"
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_TAR_AT: Final = 257
_TAR: Final = b"ustar"


@attrs.frozen(kw_only=True)
class Upload:
    """What came: the JSON, and the archive where it came as a form; `sha256` is of the whole body, in hex."""

    job: bytes = attrs.field(repr=False)
    archive: bytes = attrs.field(default=b"", repr=False)
    sha256: str

    @property
    def size_bytes(self) -> int:
        """How much there is to work on."""
        return len(self.job) + len(self.archive)


async def read_upload(request: Request, http: HttpSettings) -> Upload:
    """
    Returns: what was sent, read whole and within bounds.

    Raises:
        UnsupportedMedia: neither JSON nor such a form.
        ForeignOrigin: a form of a page that may not call.
        BadRequest: `invalid_multipart`.
        Unprocessable: a part is wrong or missing, or the archive is none that is known here.
        TooLarge, RequestTimeout: as read_body.
    """
    kinds = request.headers.getlist("content-type")
    kind, options = parse_options_header(kinds[0]) if len(kinds) == 1 and kinds != [JSON] else (b"", {})
    if kind == _FORM:
        return await _read_form(request, options.get(b"boundary", b""), http)
    require_json(request)
    body = await read_body(request, http.max_body_bytes, http.body_timeout_s)
    return Upload(job=body, sha256=hashlib.sha256(body).hexdigest())


async def _read_form(request: Request, boundary: bytes, http: HttpSettings) -> Upload:
    require_plain(request)
    # Any page may send a form without asking first, as it may not send JSON.
    require_own_page(request, http)
    if _BOUNDARY.fullmatch(boundary) is None:
        raise BadRequest("invalid_multipart", "Content-Type names no boundary; let your HTTP client set that header")
    form, digest = Form(boundary), hashlib.sha256()

    def take(chunk: bytes) -> None:
        digest.update(chunk)
        form.feed(chunk)

    await receive_body(request, http.max_body_bytes, http.body_timeout_s, take)
    job, archive = form.parts()
    _require_archive(archive)
    return Upload(job=job, archive=archive, sha256=digest.hexdigest())


def _require_archive(archive: bytes) -> None:
    """Look at its first bytes alone: what is in it is seen inside a box, and nowhere else."""
    if archive.startswith((_GZIP, *_ZIP)) or archive.startswith(_TAR, _TAR_AT):
        return
    detail = "is empty" if not archive else "is no tar.gz, tar or zip, by its first bytes"
    raise Unprocessable("invalid_archive", ARCHIVE, detail)
