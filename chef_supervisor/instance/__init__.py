"""
Which supervisor this process is, over its restarts.

An instance is a folder below the state folder, held by a lock for the life of the process. Whoever holds the lock may
end at once what carries that instance's name: nobody else who does is alive.
"""

from __future__ import annotations

from chef_supervisor.instance.lock import InstanceLock
from chef_supervisor.instance.take import Instance, take_instance

__all__ = ["Instance", "InstanceLock", "take_instance"]
