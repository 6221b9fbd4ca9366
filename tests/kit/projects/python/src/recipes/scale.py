"""Amounts of ingredients for another number of guests."""

from fractions import Fraction


def scaled(amounts: dict[str, Fraction], cooked_for: int, guests: int) -> dict[str, Fraction]:
    """The amounts for so many guests, exactly."""
    if cooked_for <= 0:
        raise ValueError("a recipe is for one guest or more")
    return {name: amount * guests / cooked_for for name, amount in amounts.items()}
