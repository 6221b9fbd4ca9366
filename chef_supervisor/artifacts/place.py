"""Where the contents of one job lie: in which store, and by which names."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

import attrs

from chef_supervisor.domain.job import JobId

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_NONCE_BYTES: Final = 8


@attrs.frozen(kw_only=True)
class Place:
    """
    The objects `<realm>/<job id>/<SHA-256 of the content>`.

    `realm`: the random name of the data in Redis, so deployments may share a bucket. An object is named by its digest
    and not by its path: a run that has lost its job and the one that replaced it may write at the same time, and
    neither can change what the other's result lists. No path of a project ever becomes a name on a disk.
    """

    store: ObjectStore = attrs.field(repr=False)
    realm: str
    job_id: JobId

    @property
    def folder(self) -> str:
        """All of the job's objects are below it."""
        return f"{self.realm}/{self.job_id}"

    def content(self, sha256: str) -> str:
        """The object of that content."""
        return f"{self.folder}/{sha256}"

    def unfinished(self) -> str:
        """A new name for a content whose digest is not known yet; no result ever lists it."""
        return f"{self.folder}/unfinished-{secrets.token_hex(_NONCE_BYTES)}"
