"""What each of Convex's answers means for the delivery."""

from __future__ import annotations

import pytest

from chef_supervisor.domain.delivery import Answer, Answered
from chef_supervisor.webhooks.convex_answers import answer_of
from chef_supervisor.webhooks.reading import Reply

TAKEN = Answer(answered=Answered.TAKEN)
FUNCTION_FAILED = Answer(answered=Answered.REFUSED, reason="function_failed")
UNREADABLE = Answer(answered=Answered.FAILED, reason="unreadable_answer")


# Mon, 23 Nov 2026 12:00:00 GMT
NOON = 1_795_435_200.0


def answer(status: int, body: bytes = b"", *, whole: bool = True) -> Answer:
    return answer_of(Reply(status=status, body=body, whole=whole), NOON)


@pytest.mark.parametrize("status", [200, 560])
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"status":"success","value":null}', TAKEN),
        (b'{"value":{"status":"error"},"status":"success"}', TAKEN),
        (b'{"status":"error","errorMessage":"Could not find public function"}', FUNCTION_FAILED),
        (b'{"status":"error","errorMessage":"no","errorData":{"status":"success"}}', FUNCTION_FAILED),
        (b'{"status":"other"}', UNREADABLE),
        (b'{"status":["success"]}', UNREADABLE),
        (b'["status","success"]', UNREADABLE),
        (b"<html>", UNREADABLE),
        (b'{"status":"success"', UNREADABLE),
        (b"", UNREADABLE),
        (b"\xff", UNREADABLE),
    ],
)
def test_the_status_in_the_body_decides_under_both_codes(status: int, body: bytes, expected: Answer) -> None:
    assert answer(status, body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"status":"success","value":"long', TAKEN),
        (b' { "status" : "error" , "errorMessage":"long', FUNCTION_FAILED),
        (b'{"value":{"status":"success","long', UNREADABLE),
        (b'{"status":"successor', UNREADABLE),
    ],
)
def test_the_beginning_of_a_long_answer_is_enough(body: bytes, expected: Answer) -> None:
    assert answer(200, body, whole=False) == expected


@pytest.mark.parametrize("status", [408, 421, 425, 429, 500, 501, 502, 503, 504, 505, 520, 599])
def test_what_passes_is_tried_again(status: int) -> None:
    told = answer(status, b'{"status":"success"}')

    assert (told.answered, told.reason) == (Answered.FAILED, f"http_{status}")
    assert told.throttled == (status in {429, 502, 503, 504})


@pytest.mark.parametrize("status", [201, 204, 301, 302, 307, 400, 401, 403, 404, 405, 409, 410, 413])
def test_what_does_not_pass_is_refused(status: int) -> None:
    assert answer(status, b'{"status":"success"}') == Answer(answered=Answered.REFUSED, reason=f"http_{status}")


@pytest.mark.parametrize(
    ("asked", "expected"),
    [("7", 7.0), ("Mon, 23 Nov 2026 12:01:00 GMT", 60.0), ("Mon, 23 Nov 2026 11:00:00 GMT", 0.0), ("soon", None)],
)
@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_is_asked_for_is_told(status: int, asked: str, expected: float | None) -> None:
    assert answer_of(Reply(status=status, retry_after=asked, body=b""), NOON).retry_after_s == expected
