"""
Every error that the client raises, by what is to be done.

ClientError
    Unfit               the project cannot be sent as it is
    Refused             the service said no (4xx): the call must be changed
        NotFound            no such job, or it was forgotten; no such artifact
    Unknown             nobody could say; what was asked for may have happened all the same
        Unreachable         nobody answered for as long as one was ready to wait
        Unavailable         the service could not do it (5xx) for as long
        BadAnswer           what answered does not speak as the service does
        StillRunning        the job was not over in time; it goes on
    NotSaved            an artifact was not written to the disk
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs


class ClientError(Exception):
    """Base of all errors of the client; `str()` of one is a sentence that says what to do."""

    def __str__(self) -> str:
        return self.message()

    def message(self) -> str:
        """Returns: the sentence, made from the fields."""
        return " ".join(map(str, self.args)) or type(self).__doc__ or type(self).__name__


@attrs.frozen(str=False)
class Unfit(ClientError):
    """What was to be sent cannot be sent."""

    reason: str

    def message(self) -> str:
        return self.reason


@attrs.frozen(str=False, kw_only=True)
class Refused(ClientError):
    """
    The service refused the call, which is of no use again without a change.

    `code` is for programs, `detail` for people; `path` names the field that is wrong. `errors` has what else the service
    said, where it says several things at once.
    """

    status: int
    code: str = ""
    detail: str = ""
    path: str = ""
    errors: Sequence[Mapping[str, Any]] = ()

    def message(self) -> str:
        said = f"{self.path}: {self.detail}" if self.path else self.detail
        more = "".join(f"\n{one.get('path', '')}: {one.get('detail', '')}" for one in self.errors)
        return f"the service refused this ({self.status} {self.code or 'without a code'}): {said}{more}"


class NotFound(Refused):
    """There is no such job or artifact; finished jobs are kept for a limited time."""


class Unknown(ClientError):
    """Nobody could say; the same call may be made again."""


@attrs.frozen(str=False)
class Unreachable(Unknown):
    """Nobody answered at that address."""

    url: str
    reason: str

    def message(self) -> str:
        return f"nobody answers at {self.url} ({self.reason}); is the service running, and is the address right?"


@attrs.frozen(str=False, kw_only=True)
class Unavailable(Unknown):
    """The service is there and cannot do it now."""

    status: int
    code: str = ""
    detail: str = ""

    def message(self) -> str:
        return f"the service cannot do this now ({self.status} {self.code}): {self.detail or 'try again later'}"


@attrs.frozen(str=False)
class BadAnswer(Unknown):
    """What came back is no answer of the service."""

    url: str
    reason: str

    def message(self) -> str:
        return (
            f"what answers at {self.url} does not speak as chef-supervisor does ({self.reason}); is the address right?"
        )


@attrs.frozen(str=False)
class StillRunning(Unknown):
    """The time to wait is over and the job is not."""

    job_id: str
    status: str

    def message(self) -> str:
        return f"job {self.job_id} is not over yet ({self.status}); it goes on, and can be waited for again"


@attrs.frozen(str=False)
class NotSaved(ClientError):
    """An artifact was not saved: its path leads astray, its bytes are not those that were told, or the disk said no."""

    path: str
    reason: str

    def message(self) -> str:
        return f"the artifact {self.path!r} was not saved: {self.reason}"
