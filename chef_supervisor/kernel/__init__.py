"""
Actors and supervisors with the semantics of Erlang/OTP, on asyncio. The kernel knows nothing of jobs.

A tree is data (`SupervisorSpec`); `run_tree` runs it. Actors (`Actor`) are reached by addresses (`Ref`) that outlive
them. An exception ends an actor; its supervisor logs that once and restarts, stops or gives up. There is no back-off:
waiting for others is the business of whoever talks to them, restarts are for bugs.
"""

from chef_supervisor.kernel.actor import Actor, Context
from chef_supervisor.kernel.attempt import attempt
from chef_supervisor.kernel.deadline import KILL_GRACE_S
from chef_supervisor.kernel.errors import (
    ActorGone,
    AlreadyStarted,
    ChildStuck,
    MailboxFull,
    Refusal,
    RestartsExhausted,
    StartFailed,
)
from chef_supervisor.kernel.messages import Crashed, Down, Ended, Gone, Killed, Question, Reason, Stopped
from chef_supervisor.kernel.ref import Ref
from chef_supervisor.kernel.run import run_tree
from chef_supervisor.kernel.spec import (
    AnySpec,
    Children,
    ChildSpec,
    DynamicSpec,
    Restart,
    StartChild,
    StartChildren,
    Strategy,
    SupervisorSpec,
)
from chef_supervisor.kernel.within import Within

__all__ = [
    "KILL_GRACE_S",
    "Actor",
    "ActorGone",
    "AlreadyStarted",
    "AnySpec",
    "ChildSpec",
    "ChildStuck",
    "Children",
    "Context",
    "Crashed",
    "Down",
    "DynamicSpec",
    "Ended",
    "Gone",
    "Killed",
    "MailboxFull",
    "Question",
    "Reason",
    "Ref",
    "Refusal",
    "Restart",
    "RestartsExhausted",
    "StartChild",
    "StartChildren",
    "StartFailed",
    "Stopped",
    "Strategy",
    "SupervisorSpec",
    "Within",
    "attempt",
    "run_tree",
]
