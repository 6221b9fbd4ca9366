"""
Every error the service raises, by who must act.

ChefError
    Rejected            the caller must change the request
        BadRequest          not readable: broken JSON, wrong encoding
        Unprocessable       readable, but a field is wrong
        TooLarge            over a limit of bytes
        UnsupportedMedia    not a media type we read
        UnknownJob          no job of that id
        QueueFull           try again later; carries when
        KeyReused           an Idempotency-Key came with another request
        AlreadyOver         the job has its end; there is nothing to cancel
        NotOver             the job has no end yet; there is nothing to retry
        BaseExpired         the files that changes were sent to are not kept any more
        NotOverYet          the job has no end yet; there is nothing it has made or found
        UnknownArtifact, NothingToPreview, ArtifactGone     what a job made is not there (artifact_errors)
    Unavailable         the caller waits, nothing needs changing
        StoreUnavailable    Redis did not answer, or refuses writes
            StoreFull           Redis has no memory left
            NotDurable          Redis did not confirm that it is on disk
        ArtifactsUnavailable    the store of artifacts did not answer, or refuses (artifact_errors)
        SandboxUnavailable  the sandbox cannot start a job now
        Draining            this process is stopping
    DependenciesRefused what an install made cannot be kept
    SecretsUnreadable   a job's secrets were sealed with a key that is not here
    Misconfigured       the operator must act; exit 78
    Bug                 we must act
        CorruptState        what Redis holds of a job is not what we wrote
"""

from __future__ import annotations

import attrs


class ChefError(Exception):
    """Base of all errors of the service; `str()` of one is a sentence for whoever must act."""

    def __str__(self) -> str:
        return self.message()

    def message(self) -> str:
        """Returns: the sentence, made from the fields; what was raised without any says what its class says."""
        return " ".join(map(str, self.args)) or type(self).__doc__ or type(self).__name__


class Rejected(ChefError):
    """The request was refused; nothing was queued."""


@attrs.frozen(str=False)
class KeyReused(Rejected):
    """An Idempotency-Key that came with another request before."""

    def message(self) -> str:
        return "this Idempotency-Key was used with another request; use a new key for each new request"


@attrs.frozen(str=False)
class AlreadyOver(Rejected):
    """A job that is over cannot be cancelled."""

    job_id: str
    status: str

    def message(self) -> str:
        return f"job {self.job_id} is over already ({self.status}), so it cannot be cancelled"


@attrs.frozen(str=False)
class NotOver(Rejected):
    """A job is retried when it has failed, run out of time or been cancelled."""

    job_id: str
    status: str

    def message(self) -> str:
        return f"job {self.job_id} is {self.status}; only a job that failed, timed out or was cancelled is retried"


@attrs.frozen(str=False)
class BaseExpired(Rejected):
    """The job whose files were to be changed is past its retention."""

    job_id: str

    def message(self) -> str:
        return f"the files of job {self.job_id} are not kept any more; send all files"


@attrs.frozen(str=False)
class NotOverYet(Rejected):
    """What a job made and found can be had when it is over. `what`: what was asked for."""

    job_id: str
    status: str
    what: str

    def message(self) -> str:
        return f"job {self.job_id} is {self.status}; its {self.what} can be had at its end, for which ?wait=30 waits"


class Unavailable(ChefError):
    """Try again later; nothing needs changing."""

    retry_after_s: float = 1.0


@attrs.frozen(str=False)
class BadRequest(Rejected):
    """The body cannot be read."""

    code: str
    detail: str

    def message(self) -> str:
        return self.detail


@attrs.frozen(str=False)
class Unprocessable(Rejected):
    """A field has a value that is not allowed; `path` names it, as in `data.projectFiles`."""

    code: str
    path: str
    detail: str

    def message(self) -> str:
        return f"{self.path}: {self.detail}" if self.path else self.detail


@attrs.frozen(str=False)
class TooLarge(Rejected):
    """Something has more bytes than its limit."""

    code: str
    path: str
    limit_bytes: int

    def message(self) -> str:
        return f"{self.path or 'the request'} is larger than {self.limit_bytes} bytes; send less, or raise the limit"


@attrs.frozen(str=False)
class UnsupportedMedia(Rejected):
    """The content type is none that is read here."""

    media_type: str

    def message(self) -> str:
        kinds = "application/json in UTF-8, or multipart/form-data where an archive is sent,"
        return f"send {kinds} not {self.media_type or 'a body without Content-Type'}"


@attrs.frozen(str=False)
class UnknownJob(Rejected):
    """There is no job of that id, or it is past its retention."""

    job_id: str

    def message(self) -> str:
        return f"no job {self.job_id[:80]!r}; finished jobs are kept for a limited time"


@attrs.frozen(str=False)
class QueueFull(Rejected):
    """The queue holds as many jobs, or bytes, as it may."""

    queue: str
    retry_after_s: float = 5.0

    def message(self) -> str:
        return f"queue {self.queue!r} is full; try again in {self.retry_after_s:g} s"


@attrs.frozen(str=False)
class StoreUnavailable(Unavailable):
    """Redis did not answer in time, or refuses to write."""

    reason: str
    retry_after_s: float = 1.0

    def message(self) -> str:
        return f"the job store is not available: {self.reason}"


@attrs.frozen(str=False)
class StoreFull(StoreUnavailable):
    """Redis has no memory left for new jobs; those it has go on, and free it when they are forgotten."""

    retry_after_s: float = 5.0


@attrs.frozen(str=False)
class NotDurable(StoreUnavailable):
    """The job is queued, but Redis did not confirm in time that it is on disk."""

    def message(self) -> str:
        return f"the job may be queued, but is not confirmed to be on disk: {self.reason}; send it again with its key"


@attrs.frozen(str=False)
class SandboxUnavailable(Unavailable):
    """No sandbox can be started now."""

    reason: str
    retry_after_s: float = 5.0

    def message(self) -> str:
        return f"the sandbox is not available: {self.reason}"


@attrs.frozen(str=False)
class Draining(Unavailable):
    """This process is stopping and takes no new jobs."""

    retry_after_s: float = 5.0

    def message(self) -> str:
        return f"this supervisor is stopping and did not take the job; send it again in {self.retry_after_s:g} s"


@attrs.frozen(str=False)
class DependenciesRefused(ChefError):
    """What an install made cannot be kept; `reason` goes on after "because"."""

    reason: str

    def message(self) -> str:
        return f"the dependencies were installed, but cannot be used, because {self.reason}"


class SecretsUnreadable(ChefError):
    """The job's secrets were sealed with another key; give every API and worker process the same CHEF_SECRETS_KEY"""


@attrs.frozen(str=False)
class Misconfigured(ChefError):
    """The configuration is wrong; `faults` has one sentence per fault, each with name and value."""

    faults: tuple[str, ...]

    def message(self) -> str:
        return "\n".join(self.faults)


class Bug(ChefError):
    """Something that cannot happen did; please report it."""


@attrs.frozen(str=False)
class CorruptState(Bug):
    """What Redis holds of a job cannot be read: another program wrote there, or a newer version of this one."""

    job_id: str
    detail: str

    def message(self) -> str:
        return f"what is stored of job {self.job_id} cannot be read: {self.detail}"
