"""An answer that cannot be brought to its end."""

from __future__ import annotations


class AnswerCut(Exception):
    """
    Its head is sent, and the rest is not to be had; why was logged where that was found out.

    Raised out of the app it makes the server close the connection, so that nobody takes a part for the whole.
    """
