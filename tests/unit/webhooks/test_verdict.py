"""What the answers of endpoints mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chef_supervisor.domain.delivery import Answer, Answered
from chef_supervisor.webhooks.reading import Reply
from chef_supervisor.webhooks.verdict import retry_after_s, verdict

# Mon, 23 Nov 2026 12:00:00 GMT
NOW_S = 1_795_435_200.0


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_taken(status: int) -> None:
    assert verdict(Reply(status=status), NOW_S) == Answer(answered=Answered.TAKEN)


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308, 399])
def test_a_redirect_is_a_failure(status: int) -> None:
    assert verdict(Reply(status=status), NOW_S) == Answer(answered=Answered.FAILED, reason="redirect")


def test_410_ends_it() -> None:
    assert verdict(Reply(status=410), NOW_S) == Answer(answered=Answered.GONE, reason="http_410")


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_an_overloaded_receiver_is_left_in_peace_for_as_long_as_it_asks(status: int) -> None:
    assert verdict(Reply(status=status, retry_after="120"), NOW_S) == Answer(
        answered=Answered.FAILED, reason=f"http_{status}", throttled=True, retry_after_s=120.0
    )


def test_an_overloaded_receiver_need_not_say_for_how_long() -> None:
    assert verdict(Reply(status=429), NOW_S).retry_after_s is None


@pytest.mark.parametrize("status", [101, 400, 401, 404, 413, 500, 501, 599])
def test_any_other_status_is_a_failure(status: int) -> None:
    assert verdict(Reply(status=status, retry_after="120"), NOW_S) == Answer(
        answered=Answered.FAILED, reason=f"http_{status}"
    )


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        ("3601", 3600.0),
        ("9" * 5000, 3600.0),
        ("Mon, 23 Nov 2026 12:00:30 GMT", 30.0),
        ("Mon, 23 Nov 2026 12:00:30 -0000", 30.0),
        ("Monday, 23-Nov-26 12:00:30 GMT", 30.0),
        ("Mon Nov 23 12:00:30 2026", 30.0),
        ("Mon, 23 Nov 2026 11:00:00 GMT", 0.0),
        ("Mon, 23 Nov 2027 12:00:00 GMT", 3600.0),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("٣", None),
        ("Mon, 99 Nov 2026 12:00:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str, seconds: float | None) -> None:
    assert retry_after_s(text, NOW_S) == seconds


@given(st.text(max_size=40) | st.from_regex(r"Mon, \d+ Nov \d+ \d+:\d+:\d+ [+-]?\w+"))
def test_whatever_a_receiver_asks_for_is_at_most_an_hour_or_nothing(text: str) -> None:
    seconds = retry_after_s(text, NOW_S)

    assert seconds is None or 0.0 <= seconds <= 3600.0
