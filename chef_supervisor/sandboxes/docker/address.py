"""Where an engine is, for connections that are none of docker-py's."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import attrs
import docker.utils

from chef_supervisor.sandboxes.docker.trouble import EngineFault

_LIMIT: Final = 1 << 17
_UNIX: Final = "http+unix://"


@attrs.frozen(kw_only=True)
class Address:
    """A unix socket, or a host and port, with TLS where `tls` is set."""

    path: str = ""
    host: str = ""
    port: int = 0
    tls: ssl.SSLContext | None = attrs.field(default=None, repr=False)

    def check(self) -> None:
        """
        A socket that is not there is told before docker-py tries it: that would leave a descriptor open.

        Raises:
            FileNotFoundError: there is none.
        """
        if self.path:
            Path(self.path).stat()

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """
        Returns: a new connection.

        Raises:
            OSError: nobody answers there.
        """
        if self.path:
            return await asyncio.open_unix_connection(self.path, limit=_LIMIT)
        return await asyncio.open_connection(self.host, self.port, ssl=self.tls, limit=_LIMIT)


def address_of(parameters: Mapping[str, Any]) -> Address:
    """
    Returns: the address that docker-py would use with these parameters.

    Raises:
        DockerException: it is of a kind (ssh, npipe) that boxes cannot be attached over.
    """
    tls = parameters.get("tls")
    url = docker.utils.parse_host(parameters.get("base_url"), tls=bool(tls))
    if url.startswith(_UNIX):
        return Address(path="/" + url.removeprefix(_UNIX).lstrip("/"))
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or not parts.port:
        raise EngineFault("DOCKER_HOST is neither a unix socket nor TCP")
    return Address(host=parts.hostname, port=parts.port, tls=_context(tls) if tls else None)


def _context(tls: docker.tls.TLSConfig) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=tls.ca_cert or None)
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if tls.cert:
        context.load_cert_chain(*tls.cert)
    return context
