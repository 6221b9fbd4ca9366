"""Both kinds of store that need nothing else: in memory, and a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from chef_supervisor.artifacts.connect import connect
from chef_supervisor.artifacts.store import ArtifactStore
from tests.kit.artifacts import artifact_store


@pytest.fixture(params=["memory:///", ""])
def artifacts(request: pytest.FixtureRequest, tmp_path: Path) -> ArtifactStore:
    return artifact_store(connect(request.param, tmp_path / "artifacts"))
