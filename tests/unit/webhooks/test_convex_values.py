"""Whatever the JSON, Convex can store what becomes of it."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chef_supervisor.webhooks.convex_values import MOST_LEVELS, storable, weight
from tests.kit.convex_rules import check_document, imported, is_plain, levels, parsed, size
from tests.unit.webhooks.convex_any import ANY_JSON


def nested(depth: int, *, objects: bool) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"a": value} if objects else [value]
    return value


@given(ANY_JSON)
def test_any_json_becomes_what_convex_stores(value: Any) -> None:
    shaped, _ = storable({"value": value}, MOST_LEVELS)

    read = imported(parsed(orjson.dumps(shaped)))

    check_document(read)
    assert is_plain(read)


@given(ANY_JSON)
def test_the_weight_is_no_less_than_the_json_and_the_stored_size(value: Any) -> None:
    shaped, _ = storable(value, MOST_LEVELS)

    assert weight(shaped) >= len(orjson.dumps(shaped))
    assert weight(shaped) >= size(imported(json.loads(orjson.dumps(shaped))))


@given(st.recursive(st.booleans() | st.text(st.characters(codec="ascii")), lambda inner: st.lists(inner, max_size=3)))
def test_what_can_be_stored_is_not_changed(value: Any) -> None:
    shaped, left_out = storable({"value": value}, levels({"value": value}))

    assert (shaped, left_out) == ({"value": value}, False)


def test_paths_as_keys_become_an_array() -> None:
    shaped, left_out = storable({"files": {"src/a.ts": "x", "caf\u00e9": None}, "counts": {"passed": 1}}, MOST_LEVELS)

    assert shaped == {"files": [{"name": "src/a.ts", "value": "x"}, {"name": "caf\u00e9"}], "counts": {"passed": 1}}
    assert not left_out


@pytest.mark.parametrize("key", ["$set", "_id", "1a", "a-b", "", "\u6587", "a" * 65, "a\n"])
def test_what_is_no_identifier_is_no_key(key: str) -> None:
    assert storable({key: 1}, MOST_LEVELS) == ([{"name": key, "value": 1}], False)


def test_none_is_left_out_of_objects_and_not_told() -> None:
    assert storable({"cause": None, "list": [None]}, MOST_LEVELS) == ({"list": [None]}, False)


@pytest.mark.parametrize(
    ("value", "shaped"), [(2**53, 2**53), (2**63, float(2**63)), (-0.0, 0.0), (1.5, 1.5), (True, True)]
)
def test_numbers_are_what_a_float_can_hold(value: Any, shaped: Any) -> None:
    assert repr(storable(value, MOST_LEVELS)) == repr((shaped, False))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400, object()])
def test_what_json_does_not_have_is_left_out_and_told(value: Any) -> None:
    assert storable({"a": value, "b": [value, 1]}, MOST_LEVELS) == ({"b": [1]}, True)


def test_half_characters_are_replaced_and_pairs_joined() -> None:
    assert storable("\ud83d\ude00 \ud800", MOST_LEVELS) == ("\U0001f600 \ufffd", False)


@pytest.mark.parametrize("objects", [True, False])
def test_what_is_nested_too_deep_is_left_out_and_told(objects: bool) -> None:
    fitting, told = storable(nested(MOST_LEVELS, objects=objects), MOST_LEVELS)
    cut, cut_told = storable(nested(MOST_LEVELS + 1, objects=objects), MOST_LEVELS)

    assert (levels(fitting), told) == (MOST_LEVELS, False)
    assert (levels(cut), cut_told) == (MOST_LEVELS, True)


def test_long_arrays_are_cut_and_told_and_wide_objects_become_arrays() -> None:
    long, long_told = storable([1] * 8193, MOST_LEVELS)
    wide, wide_told = storable({f"k{number}": 1 for number in range(1025)}, MOST_LEVELS)

    assert (len(long), long_told) == (8192, True)
    assert (wide[0], len(wide), wide_told) == ({"name": "k0", "value": 1}, 1025, False)
