"""What can go wrong with an object store, told as errors of ours, within a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from obstore.exceptions import BaseError

from chef_supervisor.domain.artifact_errors import ArtifactsUnavailable

# By far more than a store needs for one call, even one on another continent.
CALL_TIMEOUT_S: Final = 20.0
_MOST_REASON: Final = 300


@asynccontextmanager
async def told_as_ours(timeout_s: float = CALL_TIMEOUT_S) -> AsyncIterator[None]:
    """
    Bound what is asked of the store.

    Raises:
        ArtifactsUnavailable: it did not answer in time, or refused.
    """
    try:
        async with asyncio.timeout(timeout_s):
            yield
    except TimeoutError as error:
        raise ArtifactsUnavailable(f"no answer within {timeout_s:g} s") from error
    except (BaseError, OSError, ValueError) as error:
        raise ArtifactsUnavailable(reason_of(error)) from error


def reason_of(error: Exception) -> str:
    """Returns: the first line of what the library says of the error; the others are its own structures."""
    first = str(error).strip().partition("\n")[0]
    return (first or type(error).__name__)[:_MOST_REASON]
