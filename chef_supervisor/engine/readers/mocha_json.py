"""The JSON report of mocha."""

from __future__ import annotations

from typing import Any, Final

from chef_supervisor.domain.outcome import Verdict
from chef_supervisor.engine.readers.findings import Findings
from chef_supervisor.engine.readers.tally import Tally
from chef_supervisor.engine.shapes import Unreadable, a_dict, a_text, an_int, dicts, json_of

# Not `tests`: a hook that failed is in `failures` only.
_LISTS: Final = (("failures", Verdict.FAILED), ("pending", Verdict.SKIPPED), ("passes", Verdict.PASSED))


def read_mocha_json(content: bytes) -> Findings:
    """
    Returns: the tests, and as a failed test each hook that failed.

    Raises:
        Unreadable: it is no such report.
    """
    report = a_dict(json_of(content))
    if not any(isinstance(report.get(name), list) for name, _ in _LISTS):
        msg = "it has no passes, failures or pending"
        raise Unreadable(msg)
    tally = Tally()
    for name, status in _LISTS:
        for test in dicts(report.get(name)):
            _add(tally, test, status)
    return tally.findings("mocha")


def _add(tally: Tally, test: dict[str, Any], status: Verdict) -> None:
    error = a_dict(test.get("err"))
    tally.add(
        name=_name(test),
        file=a_text(test.get("file")),
        status=status,
        ms=an_int(test.get("duration")),
        message=a_text(error.get("stack")) or a_text(error.get("message")),
    )


def _name(test: dict[str, Any]) -> str:
    title, whole = a_text(test.get("title")), a_text(test.get("fullTitle"))
    suites = whole.removesuffix(title).strip() if whole.endswith(title) else ""
    return " > ".join(filter(None, [suites, title])) or whole
