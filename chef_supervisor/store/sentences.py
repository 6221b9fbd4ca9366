"""
What is told of a Redis that is not fit for use.

No address, name or password is in it, as redis-py's own texts have them: API callers read it.
"""

from __future__ import annotations

import errno
import os
import re
import socket
from typing import Final

from redis import exceptions as redis_errors

_BUSY: Final = "it is busy with somebody else's script"
_NOT_LET_IN: Final = "it does not accept our user name and password"
_NOT_ALLOWED: Final = "our user may not run what the service needs; see the ACL"
FULL: Final = "its memory is full (maxmemory)"
_MOVING: Final = "its cluster is down or being changed"
_LOADING: Final = "it is loading its data"
_READ_ONLY: Final = "it is a replica and read-only"
_LEFT_ALONE: Final = "it is a replica that lost its primary"
# What redis-py has classes for, in an order in which no base comes before what is derived from it.
_SENTENCE_OF: Final[dict[type[Exception], str]] = {
    redis_errors.OutOfMemoryError: FULL,
    redis_errors.ReadOnlyError: _READ_ONLY,
    redis_errors.BusyLoadingError: _LOADING,
    redis_errors.MasterDownError: _LEFT_ALONE,
    redis_errors.NoPermissionError: _NOT_ALLOWED,
    redis_errors.AuthenticationError: _NOT_LET_IN,
    redis_errors.AuthenticationWrongNumberOfArgsError: _NOT_LET_IN,
    redis_errors.AuthorizationError: _NOT_LET_IN,
    redis_errors.ExternalAuthProviderError: _NOT_LET_IN,
    redis_errors.NoScriptError: "it does not keep our scripts",
    redis_errors.ClusterError: _MOVING,
    redis_errors.AskError: _MOVING,
    redis_errors.TryAgainError: _MOVING,
    redis_errors.SlotNotCoveredError: _MOVING,
    redis_errors.InvalidResponse: "what answers there does not speak Redis",
}
# Codes that redis-py has no class for, and those that Redis 6.2 wraps into the text of a script's error.
_SENTENCE_OF_CODE: Final = {
    "OOM": FULL,
    "MISCONF": "it cannot write to its disk",
    "READONLY": _READ_ONLY,
    "LOADING": _LOADING,
    "MASTERDOWN": _LEFT_ALONE,
    "CLUSTERDOWN": _MOVING,
    "NOREPLICAS": "too few of its replicas are in touch (min-replicas-to-write)",
    "BUSY": _BUSY,
    "UNKILLABLE": _BUSY,
    "NOAUTH": _NOT_LET_IN,
    "WRONGPASS": _NOT_LET_IN,
    "NOPERM": _NOT_ALLOWED,
    "TRYAGAIN": _MOVING,
    "FAILOVER": "it hands over to a replica",
    "UNBLOCKED": "it was made a replica",
    # Our scripts' own: see lua/lib/late.lua.
    "LATE": "its clock goes differently each time it is asked",
}
_CODE: Final = re.compile(rf"(?:^|[ -])({'|'.join(_SENTENCE_OF_CODE)}) ")


def sentence_of(error: Exception) -> str | None:
    """Returns: what the server said, in our words; None where it said nothing, or something about a command."""
    if code := _CODE.search(str(error)):
        return _SENTENCE_OF_CODE[code[1]]
    return next((text for kind, text in _SENTENCE_OF.items() if isinstance(error, kind)), None)


def way_broke(error: BaseException) -> str:
    """Returns: why there is no way to the server, in the system's words."""
    # redis-py's own text names the address; the system's error stands behind it.
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, socket.gaierror):
            return "no address for its name"
        if isinstance(seen, OSError) and (number := seen.errno or 0) in errno.errorcode:
            return os.strerror(number)
        seen = seen.__cause__ or seen.__context__
    return "the connection broke"
