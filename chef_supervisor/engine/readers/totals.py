"""Counts that runners print at their end, as in `2 failed | 1 passed` or `3 passing (12ms)`."""

from __future__ import annotations

import re
from typing import Final

from chef_supervisor.engine.readers.tally import Totals
from chef_supervisor.engine.shapes import an_int

_COUNT: Final = re.compile(r"(?<![\w.])(\d{1,9}) ([a-z]{2,12})")
_PASSED: Final = frozenset({"passed", "passing", "pass", "xpassed"})
_FAILED: Final = frozenset({"failed", "failing", "fail", "error", "errors", "cancelled"})
_SKIPPED: Final = frozenset({"skipped", "pending", "skip", "todo", "xfailed"})


def totals_of(text: str) -> Totals:
    """Returns: what the text counts; a word that is none of a runner's is passed over."""
    count: dict[str, int] = {}
    for number, word in _COUNT.findall(text):
        count[word] = count.get(word, 0) + an_int(number)
    return Totals(*(sum(count.get(word, 0) for word in words) for words in (_PASSED, _FAILED, _SKIPPED)))
