"""Boxes made by a Docker Engine: one container each, hardened, fed and read over one attached connection."""

from __future__ import annotations

from chef_supervisor.sandboxes.docker.sandbox import DockerSandbox

__all__ = ["DockerSandbox"]
