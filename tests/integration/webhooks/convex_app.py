"""The functions of an app in Convex that is told of jobs, and one delivery to it."""

from __future__ import annotations

from typing import Any, Final

from chef_supervisor.domain.delivery import Answer, Message
from chef_supervisor.webhooks.convex import ConvexReceiver
from chef_supervisor.webhooks.convex_config import ConvexConfig
from chef_supervisor.webhooks.sending import tls_context
from tests.kit.convex_double import ConvexDouble, Function

# Reading the authorities takes longer than a delivery.
_TLS: Final = tls_context()
KEY: Final = "prod:name|secret"
# As in docs/convex.md, and whether each must be there.
FIELDS: Final = {
    **dict.fromkeys(("eventId", "seq", "event", "jobId", "type", "status", "progress", "at"), True),
    **dict.fromkeys(("chatId", "runs", "createdAt", "startedAt", "finishedAt", "cause"), False),
    **dict.fromkeys(("result", "resultForgotten", "truncated", "resultPath"), False),
}


def receiving(double: ConvexDouble, *, public: bool = False) -> Function:
    """Returns: a mutation that stores its arguments."""
    return Function(run=double.store, public=public, fields=FIELDS)


async def delivered(url: str, message: Message, **config: Any) -> Answer:
    """Returns: how one try was answered."""
    receiver = ConvexReceiver(ConvexConfig(**({"url": url, "deploy_key": KEY} | config)), tls=_TLS)
    try:
        return await receiver.deliver(message)
    finally:
        await receiver.close()
