"""The options of a job as the one field of its hash that they are: JSON, and nothing where all are as usual."""

from __future__ import annotations

from typing import Final

import attrs
import orjson
from cattrs.errors import BaseValidationError
from cattrs.preconf.orjson import make_converter

from chef_supervisor.domain.job import JobOptions

_USUAL: Final = JobOptions()
_CONVERTER: Final = make_converter()


def encode(options: JobOptions) -> bytes:
    """Returns: what `decode` takes."""
    return b"" if options == _USUAL else orjson.dumps(attrs.asdict(options))


def decode(stored: bytes | None) -> JobOptions:
    """
    Returns: the options; names that this version does not know are left out.

    Raises:
        ValueError: they are no options.
    """
    if not stored:
        return _USUAL
    try:
        named = orjson.loads(stored)
        if isinstance(named, dict):
            return _CONVERTER.structure(named, JobOptions)
    except (BaseValidationError, orjson.JSONDecodeError) as error:
        raise ValueError("these are no options of a job") from error
    raise ValueError("these are no options of a job")
