# mypy: ignore-errors
from fractions import Fraction

import pytest
from recipes.scale import scaled


def test_amounts_grow_with_the_guests() -> None:
    assert scaled({"eggs": Fraction(2)}, cooked_for=4, guests=6) == {"eggs": Fraction(3)}


def test_a_recipe_for_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="one guest or more"):
        scaled({}, cooked_for=0, guests=2)
