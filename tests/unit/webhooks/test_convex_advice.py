"""What is said to an operator where Convex refuses."""

from __future__ import annotations

import pytest

from chef_supervisor.domain.delivery import Answer, Answered
from chef_supervisor.webhooks.convex_advice import Advice

TAKEN = Answer(answered=Answered.TAKEN)


def refused(reason: str) -> Answer:
    return Answer(answered=Answered.REFUSED, reason=reason)


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("http_401", "is no key of the deployment at CONVEX_URL"),
        ("http_403", "may not call functions"),
        ("http_404", "there is no deployment at CONVEX_URL, or no such function in it"),
        ("function_failed", "is not deployed"),
        ("http_400", "docs/convex.md"),
    ],
)
def test_a_refusal_says_what_to_mend(caplog: pytest.LogCaptureFixture, reason: str, said: str) -> None:
    Advice().note("jobs:onResult", refused(reason))

    [record] = caplog.records
    assert record.getMessage().startswith(f"Convex refused a call of jobs:onResult ({reason}): ")
    assert said in record.getMessage()
    assert {"event": "convex.refused", "function": "jobs:onResult", "reason": reason}.items() <= vars(record).items()


def test_it_is_said_once_until_something_else_is_so(caplog: pytest.LogCaptureFixture) -> None:
    advice = Advice()

    for answer in (refused("http_404"), refused("http_404"), Answer(answered=Answered.FAILED, reason="timeout")):
        advice.note("jobs:onResult", answer)
    advice.note("jobs:onResult", refused("http_401"))
    advice.note("jobs:onProgress", refused("http_401"))
    advice.note("jobs:onProgress", TAKEN)
    advice.note("jobs:onResult", refused("http_401"))
    advice.note("jobs:onResult", TAKEN)
    advice.note("jobs:onResult", refused("http_401"))

    told = [(vars(record)["function"], vars(record)["reason"]) for record in caplog.records]
    assert told == [
        ("jobs:onResult", "http_404"),
        ("jobs:onResult", "http_401"),
        ("jobs:onProgress", "http_401"),
        ("jobs:onResult", "http_401"),
    ]
