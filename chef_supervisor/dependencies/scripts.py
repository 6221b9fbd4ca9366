"""What the dependencies' own scripts said when they were run without network: a note where they failed."""

from __future__ import annotations

from collections import deque

import attrs

from chef_supervisor.domain.errors import SandboxUnavailable
from chef_supervisor.domain.work import BoxEnded, BoxEvent, EndedBy, StepEnded, StepOutput, StepStarted, StepTail, Work

_KEPT: int = 4096
_SHOWN_CHARS: int = 200


@attrs.define(eq=False)
class Scripts:
    """Takes the events of their box. Written by `take` only."""

    work: Work
    _failed: StepEnded | None = None
    _end: BoxEnded | None = None
    # The step at work is no script of a dependency's: it makes tools start sooner, or does not.
    _helps: bool = False
    _printed: deque[bytes] = attrs.field(factory=lambda: deque(maxlen=8))

    def take(self, event: BoxEvent) -> None:
        """Take the next event."""
        match event:
            case StepStarted(index):
                self._helps = self.work.steps[index].keep_going if index < len(self.work.steps) else False
            case StepOutput(_, chunk) | StepTail(_, chunk) if not self._helps:
                self._printed.append(chunk[-_KEPT:])
            case StepEnded() if not self._helps:
                if self._failed is None and event.exit_code != 0:
                    self._failed = event
            case BoxEnded():
                self._end = event
            case _:
                pass

    def notes(self) -> tuple[str, ...]:
        """
        Returns: what a job that uses the dependencies is told; nothing where all went well.

        Raises:
            SandboxUnavailable: the box was ended from outside; nothing is known of the scripts.
        """
        if self._end is None or (not self._end.complete and self._end.ended_by in {EndedBy.KILLED, EndedBy.EXIT}):
            raise SandboxUnavailable("the box of the dependencies' own scripts was ended from outside")
        if self._failed is None and (self._helps or (self._end.complete and self._end.ended_by is EndedBy.EXIT)):
            return ()
        return (f"install scripts of dependencies failed, as they have no network ({self._how()}){self._last_line()}",)

    def _how(self) -> str:
        if (
            self._failed is not None
            and self._failed.exit_code is not None
            and 0 <= self._failed.index < len(self.work.steps)
        ):
            return f"{self.work.steps[self._failed.index].name}: exit code {self._failed.exit_code}"
        ended_by = self._failed.ended_by if self._failed is not None else self._end.ended_by if self._end else ""
        return str(ended_by).replace("_", " ")

    def _last_line(self) -> str:
        lines = b"".join(self._printed).decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        printable = "".join(char for char in last if char.isprintable())
        return f": {printable[:_SHOWN_CHARS]}" if printable else ""
