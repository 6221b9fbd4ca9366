"""A container of the runner image with a project in it, for tools that are run in it without us: with network, as a person."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import docker
from docker.models.containers import Container

from tests.kit.docker_engine import require_image

IMAGE: Final = "chef-runner:dev"
AT: Final = "/workspace"
_BOX_UID: Final = 65532
# There already, and not the project's.
_CA: Final = "/tmp/ca.pem"
_TRUST: Final = ("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT")


@contextmanager
def tool_container(
    entrypoint: str, argv: Sequence[str], files: Mapping[str, bytes], **limits: Any
) -> Iterator[Container]:
    """Yields: it, not started, with the files in its working folder; `limits` go to the engine. Removed in the end."""
    client = docker.DockerClient(base_url=require_image(IMAGE))
    trusted = _certificates()
    env = {"HOME": "/tmp/home", "CI": "1", "NO_COLOR": "1"} | (dict.fromkeys(_TRUST, _CA) if trusted else {})
    container = client.containers.create(
        IMAGE,
        list(argv),
        entrypoint=entrypoint,
        user=str(_BOX_UID),
        working_dir=AT,
        environment=env,
        **limits,
    )
    try:
        container.put_archive("/", _tar({f"{AT[1:]}/{path}": content for path, content in files.items()}))
        container.put_archive("/", _tar({_CA[1:]: trusted} if trusted else {}))
        yield container
    finally:
        container.remove(force=True)
        client.close()


def _certificates() -> bytes:
    path = os.environ.get("CHEF_EXTRA_CA_CERTS") or os.environ.get("NODE_EXTRA_CA_CERTS")
    return Path(path).read_bytes() if path else b""


def _tar(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        folders = {str(parent) for path in files for parent in Path(path).parents} - {".", "tmp"}
        for folder in sorted(folders):
            tar.addfile(_entry(folder, tarfile.DIRTYPE, 0))
        for path, content in files.items():
            tar.addfile(_entry(path, tarfile.REGTYPE, len(content)), io.BytesIO(content))
    return buffer.getvalue()


def _entry(path: str, kind: bytes, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(path)
    entry.type, entry.size, entry.mode = kind, size, 0o755 if kind == tarfile.DIRTYPE else 0o644
    entry.uid = entry.gid = _BOX_UID
    return entry
