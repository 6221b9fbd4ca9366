"""From the settings to an object store: a folder of ours, or whatever the address names."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from obstore.exceptions import BaseError
from obstore.store import HTTPStore, LocalStore, from_url

from chef_supervisor.artifacts.trouble import reason_of
from chef_supervisor.domain.errors import Misconfigured

if TYPE_CHECKING:
    from obstore.store import ObjectStore, RetryConfig

_LOCAL: Final = "file://"
_IN_MEMORY: Final = "memory:"
# Whoever waits has a bound of its own; longer retries than that would only go on in vain.
_RETRY: Final[RetryConfig] = {"max_retries": 3, "retry_timeout": timedelta(seconds=15)}


def connect(url: str, folder: Path) -> ObjectStore:
    """
    Returns: the store at the address, or in `folder` where it is empty. Nothing is asked of it yet.

    Credentials, region and endpoint come from the environment: `AWS_...`, `GOOGLE_...` or `AZURE_...`.

    Raises:
        Misconfigured: the address is none, or the folder cannot be made.
    """
    try:
        if not url or url.startswith(_LOCAL):
            return _local(_folder_of(url) if url else folder)
        # No options of the connection: they would take the place of those in the environment.
        store = from_url(url) if url.startswith(_IN_MEMORY) else from_url(url, retry_config=_RETRY)
    except (BaseError, OSError, ValueError) as error:
        raise _misconfigured(url, reason_of(error)) from error
    if isinstance(store, HTTPStore):
        raise _misconfigured(url, "a web server cannot be written to; use s3://bucket/prefix, gs://, az:// or file:///")
    return store


def _folder_of(url: str) -> Path:
    folder = Path(url.removeprefix(_LOCAL))
    if not folder.is_absolute():
        msg = "a folder is named from the top, with three slashes: file:///srv/artifacts"
        raise ValueError(msg)
    return folder


def _local(folder: Path) -> LocalStore:
    # Others on the machine have no business in it.
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return LocalStore(folder, automatic_cleanup=True)


def _misconfigured(url: str, reason: str) -> Misconfigured:
    return Misconfigured((f"CHEF_ARTIFACTS_URL={url!r}: {reason}",))
