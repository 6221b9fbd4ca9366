"""Takes secret values out of bytes, in every form in which tools print them; `forms.py` says which those are."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from chef_supervisor.sealing.forms import forms_of

MASK: Final = b"***"
_LEAST_CUT: Final = 4


class Scrubber:
    """
    Replaces the values, what they hold that is secret by itself, and what base64, percent-encoding and JSON make of them.

    Values of fewer than 4 bytes are left: they would mask half of every text.
    """

    def __init__(self, values: Iterable[str]) -> None:
        forms = {form for value in values for form in forms_of(value)}
        # The longest first, so that no beginning of a form is masked in its place.
        self._forms = sorted(forms, key=len, reverse=True)

    @property
    def longest(self) -> int:
        """Returns: the length of the longest form; 0 where there is nothing to mask."""
        return len(self._forms[0]) if self._forms else 0

    def scrub(self, content: bytes) -> bytes:
        """Returns: the content with every form replaced by `***`."""
        pattern = self._pattern(content)
        return pattern.sub(MASK, content) if pattern else content

    def scrub_cut(self, content: bytes) -> bytes:
        """Returns: the same for content that was cut out of more: the half of a form at either end goes too."""
        return self._without_beginning(self._without_end(self.scrub(content)))

    def split(self, content: bytes) -> tuple[bytes, bytes]:
        """Returns: the scrubbed part in which no form can end any more, and the rest, to be put before what follows."""
        if not self._forms:
            return content, b""
        done, start = bytearray(), 0
        safe = max(0, len(content) - self.longest + 1)
        pattern = self._pattern(content)
        for match in pattern.finditer(content) if pattern else ():
            if match.start() >= safe:
                break
            done += content[start : match.start()] + MASK
            start = match.end()
        end = max(start, safe)
        return bytes(done + content[start:end]), content[end:]

    def _pattern(self, content: bytes) -> re.Pattern[bytes] | None:
        """Returns: what finds the forms that are there; None where none is. All of them would take seconds to look for."""
        there = [form for form in self._forms if form in content]
        return re.compile(b"|".join(map(re.escape, there))) if there else None

    def _without_end(self, content: bytes) -> bytes:
        size = max((_beginning_at_end(form, content) for form in self._forms), default=0)
        return content[:-size] + MASK if size else content

    def _without_beginning(self, content: bytes) -> bytes:
        size = max((_end_at_beginning(form, content) for form in self._forms), default=0)
        return MASK + content[size:] if size else content


def _beginning_at_end(form: bytes, content: bytes) -> int:
    """Returns: how many of the last bytes are the first ones of the form, but not all of it; fewer than 4 are none."""
    last = content[max(0, len(content) - len(form) + 1) :]
    at = last.find(form[:_LEAST_CUT])
    while at >= 0:
        if form.startswith(last[at:]):
            return len(last) - at
        at = last.find(form[:_LEAST_CUT], at + 1)
    return 0


def _end_at_beginning(form: bytes, content: bytes) -> int:
    """Returns: how many of the first bytes are the last ones of the form, as above."""
    first = content[: len(form) - 1]
    at = first.rfind(form[-_LEAST_CUT:])
    while at >= 0:
        size = at + _LEAST_CUT
        if form.endswith(first[:size]):
            return size
        at = first.rfind(form[-_LEAST_CUT:], 0, size - 1)
    return 0
