"""
A client of the service, for programs and for the command line.

It speaks the HTTP interface (docs/api.md) and shares its words (`domain`), but nothing of the server's insides.
"""

from chef_supervisor.client.answers import (
    Artifact,
    Delivery,
    Diagnostic,
    Health,
    Job,
    JobResult,
    Output,
    QueueCounts,
    Step,
    TestCase,
    Tests,
)
from chef_supervisor.client.calls import shown_url
from chef_supervisor.client.client import DEFAULT_URL, Client
from chef_supervisor.client.errors import (
    BadAnswer,
    ClientError,
    NotFound,
    NotSaved,
    Refused,
    StillRunning,
    Unavailable,
    Unfit,
    Unknown,
    Unreachable,
)
from chef_supervisor.client.following import LogEnd, LogEvent, LogGap, LogText
from chef_supervisor.client.gathering import Gathered, gather, largest
from chef_supervisor.client.submission import Archive, Changes, Files, Options, OwnStep, Shown

__all__ = [
    "DEFAULT_URL",
    "Archive",
    "Artifact",
    "BadAnswer",
    "Changes",
    "Client",
    "ClientError",
    "Delivery",
    "Diagnostic",
    "Files",
    "Gathered",
    "Health",
    "Job",
    "JobResult",
    "LogEnd",
    "LogEvent",
    "LogGap",
    "LogText",
    "NotFound",
    "NotSaved",
    "Options",
    "Output",
    "OwnStep",
    "QueueCounts",
    "Refused",
    "Shown",
    "Step",
    "StillRunning",
    "TestCase",
    "Tests",
    "Unavailable",
    "Unfit",
    "Unknown",
    "Unreachable",
    "gather",
    "largest",
    "shown_url",
]
