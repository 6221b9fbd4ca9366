"""What the names of receivers stand for: the loopback interface most of the time, and something else now and then."""

from __future__ import annotations

import random
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import attrs

from tests.kit.hook_kit import LOOPBACK

METADATA: Final = "169.254.169.254"
# So much of all questions is answered right.
_RIGHT: Final = 0.85
_UNKNOWN, _SILENT = socket.EAI_NONAME, socket.EAI_AGAIN
# Of a name with several addresses the first is connected to.
_MIXED: Final = ([METADATA, LOOPBACK], [LOOPBACK, METADATA])
_WRONG: Final[Sequence[Sequence[str] | int]] = ([METADATA], ["10.0.0.7"], *_MIXED, _UNKNOWN, _SILENT)


@attrs.frozen
class ChangingNames:
    """A `Resolver`. From the moment that `well` is there all its answers are right."""

    chance: random.Random
    well: Path

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        """Returns: the loopback interface, or what no callback may connect to; or fails as name servers do."""
        del port
        if self.chance.random() < _RIGHT or self.well.exists():
            return [LOOPBACK]
        answer = self.chance.choice(_WRONG)
        if isinstance(answer, int):
            raise socket.gaierror(answer, host)
        return answer

    def close(self) -> None:
        """Nothing is held."""
