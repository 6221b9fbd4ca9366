"""That a receiver gave no answer."""

from __future__ import annotations

import attrs


@attrs.frozen
class NoAnswer(Exception):
    """`reason`: a word such as `timeout`; nothing that came over the network."""

    reason: str
