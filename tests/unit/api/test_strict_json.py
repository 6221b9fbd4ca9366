from __future__ import annotations

import contextlib
import json
from typing import Any, cast
from unittest.mock import Mock

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chef_supervisor.api.strict_json import MAX_DEPTH, MAX_VALUES, parse_json
from chef_supervisor.domain.errors import BadRequest

_TEXT = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from('":\\[]{},'))
_SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | _TEXT
)
_VALUES: st.SearchStrategy[Any] = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4), max_leaves=15
)


@given(_VALUES, st.booleans())
def test_what_json_can_say_is_read_as_json_reads_it(value: Any, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)

    assert parse_json(text.encode()) == json.loads(text)


@given(st.dictionaries(_TEXT, _VALUES, min_size=1, max_size=4), st.data(), st.booleans())
def test_repeated_key_is_found_wherever_it_is_and_however_it_is_written(
    members: dict[str, Any], draw: Any, ascii_only: bool
) -> None:
    key = draw.draw(st.sampled_from(sorted(members)))
    again = json.dumps(key, ensure_ascii=ascii_only) + ":" + json.dumps(draw.draw(_VALUES))
    inner = json.dumps(members)[:-1] + "," + again + "}"
    text = draw.draw(st.sampled_from([inner, f"[{inner}]", f'{{"x":[1,{inner}]}}']))

    with pytest.raises(BadRequest, match="twice"):
        parse_json(text.encode())


@given(st.binary())
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with contextlib.suppress(BadRequest):
        parse_json(body)


def test_depth_is_allowed_up_to_the_limit() -> None:
    def nested(depth: int) -> bytes:
        return b"[" * depth + b"]" * depth

    parse_json(nested(MAX_DEPTH))
    with pytest.raises(BadRequest, match="16 levels"):
        parse_json(nested(MAX_DEPTH + 1))


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"[" + b"1," * MAX_VALUES + b"1]", id="numbers"),
        pytest.param(b"[" + b'"",' * 4 * MAX_VALUES + b'""]', id="strings"),
        pytest.param(b'[{"a":"' + b'"},{"a":"' * 2 * MAX_VALUES + b'"}]', id="objects"),
        pytest.param(b'"' * 8 * MAX_VALUES, id="quotes that are no JSON"),
    ],
)
def test_too_many_values_are_refused_before_they_are_made(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    loads = Mock(side_effect=orjson.loads)
    monkeypatch.setattr("chef_supervisor.api.strict_json.orjson.loads", loads)

    with pytest.raises(BadRequest) as refused:
        parse_json(body)

    assert refused.value.code == "json_too_large"
    assert loads.call_count == (0 if b"," in body else 1)


def test_as_many_values_as_allowed_are_read() -> None:
    members = ",".join(f'"{number}":""' for number in range(MAX_VALUES - 1))

    assert len(cast("dict[str, str]", parse_json(f"{{{members}}}".encode()))) == MAX_VALUES - 1


def test_brackets_that_only_close_are_no_json() -> None:
    with pytest.raises(BadRequest) as refused:
        parse_json(b"]" * 4 * MAX_VALUES)

    assert refused.value.code == "invalid_json"


def test_brackets_and_commas_in_strings_count_for_nothing() -> None:
    text = "[{," * MAX_VALUES

    assert parse_json(json.dumps({"a": text, '"[\\': '\\"[['}).encode()) == {"a": text, '"[\\': '\\"[['}
