"""Time of the outbox, so that no test waits for a lease or for hours between tries: its rows say when they are due."""

from __future__ import annotations

import time
from typing import Any, Final

import redis

# At once, for the notifiers of living processes look at the same rows.
_SHIFT: Final = """
for _, key in ipairs(KEYS) do
  for _, member in ipairs(redis.call('ZRANGE', key, 0, -1)) do
    redis.call('ZINCRBY', key, ARGV[1], member)
  end
end
"""


def let_pass(client: redis.Redis, seconds: float) -> None:
    """Make all that waits in outboxes, and all leases of deliveries, due that much sooner."""
    keys: Any = client.keys("*:outboxes") + client.keys("*:outbox:*")
    client.eval(_SHIFT, len(keys), *keys, -round(seconds * 1000))


def due_in_s(client: redis.Redis, job_id: str, receiver: str) -> float:
    """Returns: in how many seconds that job's event is due there, or its lease ends."""
    [key] = client.keys(f"*:outbox:{receiver}")
    due_ms: Any = client.zscore(key, job_id)
    assert due_ms is not None
    return float(due_ms) / 1000 - time.time()
