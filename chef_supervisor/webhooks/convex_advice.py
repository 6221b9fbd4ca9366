"""What an operator is told to do where Convex refuses: once for each function and reason, not for every job."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final

import attrs

from chef_supervisor.domain.delivery import Answer, Answered

# Under the receiver's name: the advice is the receiver's.
_LOG: Final = logging.getLogger("chef_supervisor.webhooks.convex")
_ADVICE: Final[Mapping[str, str]] = {
    "function_failed": (
        "it threw, refused the arguments, is of the other kind (mutation, action), or is not deployed; "
        "what it said stands in the log of the deployment"
    ),
    "http_401": "CONVEX_DEPLOY_KEY is no key of the deployment at CONVEX_URL",
    "http_403": "CONVEX_DEPLOY_KEY may not call functions",
    "http_404": "there is no deployment at CONVEX_URL, or no such function in it",
}
_OTHER: Final = "docs/convex.md says what Convex's answers mean"


@attrs.define(eq=False)
class Advice:
    """Remembers, of each function, the last reason that was told."""

    _told: dict[str, str] = attrs.field(factory=dict, init=False)

    def note(self, function: str, answer: Answer) -> None:
        """Tell of a refusal that is new; one that comes back after the function took something is new again."""
        match answer.answered:
            case Answered.REFUSED if self._told.get(function) != answer.reason:
                self._told[function] = answer.reason
                extra = {"event": "convex.refused", "function": function, "reason": answer.reason}
                advice = _ADVICE.get(answer.reason, _OTHER)
                _LOG.warning("Convex refused a call of %s (%s): %s", function, answer.reason, advice, extra=extra)
            case Answered.TAKEN:
                self._told.pop(function, None)
            case _:
                pass
