"""Whole numbers in JSON, within bounds."""

from __future__ import annotations

from collections.abc import Mapping

from chef_supervisor.domain.errors import Unprocessable


def whole_number(
    values: Mapping[str, object], field: str, least: int, most: int, *, code: str, parent: str = ""
) -> int | None:
    """
    Returns: the number, or None where the field is absent; `parent` stands before it in the path, as in `backoff.`.

    Raises:
        Unprocessable: of that code; it is no whole number, or out of bounds.
    """
    if field not in values:
        return None
    value = values[field]
    # bool is an int to Python, and 1.0 equals 1: neither is a whole number here.
    if type(value) is not int or not least <= value <= most:
        raise Unprocessable(code, parent + field, f"must be a whole number from {least} to {most}")
    return value
