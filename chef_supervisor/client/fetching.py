"""The contents of artifacts: one into memory, or onto the disk as they come."""

from __future__ import annotations

from pathlib import Path

from chef_supervisor.client.answers import Artifact
from chef_supervisor.client.calls import Calls, Patience, job_path
from chef_supervisor.client.errors import NotSaved, Unavailable, Unreachable
from chef_supervisor.client.saving import checked_names, saving


async def fetch(calls: Calls, job_id: str, path: str) -> bytes:
    """
    Returns: the file's content.

    Raises:
        NotSaved: the path is none of a file below the project.
    """
    response = await calls.send("GET", job_path(job_id, "artifacts", *checked_names(path)))
    return response.content


async def save(calls: Calls, job_id: str, artifact: Artifact, folder: Path) -> Path:
    """
    Returns: where the file is now.

    Raises:
        NotSaved: its path leads astray, the disk said no, or what came is not what was told.
    """
    patience = Patience(calls)
    while True:
        try:
            await _save(calls, job_id, artifact, folder)
        except (Unavailable, Unreachable) as error:
            await patience.bear(error)
        else:
            return folder / artifact.path


async def _save(calls: Calls, job_id: str, artifact: Artifact, folder: Path) -> None:
    # Before anything is asked for: with `..` in it, it would be another address too.
    path = job_path(job_id, "artifacts", *checked_names(artifact.path))
    with saving(folder, artifact) as file:
        async with calls.stream(path, {}) as response:
            async for chunk in response.aiter_bytes():
                # One that lies about its size fills no disk.
                if file.tell() + len(chunk) > artifact.bytes:
                    raise NotSaved(artifact.path, "it is larger than was told; try again")
                file.write(chunk)
