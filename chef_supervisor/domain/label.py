"""A job's id as one label of a host name, and back: `builds.0_<26 characters>` is `<26 characters>--builds`."""

from __future__ import annotations

import re
from typing import Final

from chef_supervisor.domain.errors import UnknownJob
from chef_supervisor.domain.job import SHARD, JobId, queue_of

# The queue comes last: "--" at the third place of a label is kept for encodings of other alphabets (RFC 5891, 4.2.3.1).
_SHAPE: Final = re.compile(r"(?P<random>[a-z2-7]{26})--(?P<queue>[a-z][a-z0-9-]{0,31})")


def label_of(job_id: JobId) -> str:
    """Returns: at most 60 characters, all of them allowed in a host name."""
    return f"{job_id.rpartition('_')[2]}--{queue_of(job_id)}"


def job_of(label: str) -> JobId:
    """
    Returns: the id that `label_of` made the label from; in a host name, case means nothing.

    Raises:
        UnknownJob: it is the label of none.
    """
    match = _SHAPE.fullmatch(label.lower())
    if match is None:
        raise UnknownJob(label)
    return JobId(f"{match['queue']}.{SHARD}_{match['random']}")
