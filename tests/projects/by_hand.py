"""Runs a project's tools as a person would: a shell in a container of the runner image, with network and no limits."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import attrs
import docker

from tests.kit.docker_engine import require_image
from tests.projects.row import MARK

IMAGE: Final = "chef-runner:dev"
_BOX_UID: Final = 65532
_CA: Final = "/tmp/ca.pem"
_MOST_S: Final = 240
_TRUST: Final = ("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT")


@attrs.frozen
class ByHand:
    """How it ended and what it printed after the mark."""

    exit_code: int
    counted: str
    whole: str


def run_by_hand(script: str, files: Mapping[str, bytes]) -> ByHand:
    """Returns: what the script did in the project's folder."""
    client = docker.DockerClient(base_url=require_image(IMAGE))
    trusted = _certificates()
    env = {"HOME": "/tmp/home", "CI": "1", "NO_COLOR": "1", **(dict.fromkeys(_TRUST, _CA) if trusted else {})}
    container = client.containers.create(
        IMAGE, ["-ec", script], entrypoint="sh", user=str(_BOX_UID), working_dir="/workspace", environment=env
    )
    try:
        container.put_archive("/", _tar({f"workspace/{path}": content for path, content in files.items()}))
        container.put_archive("/", _tar({_CA.lstrip("/"): trusted} if trusted else {}))
        container.start()
        code = container.wait(timeout=_MOST_S)["StatusCode"]
        whole = container.logs().decode(errors="replace")
    finally:
        container.remove(force=True)
        client.close()
    return ByHand(code, whole.partition(f"{MARK}\n")[2], whole)


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
