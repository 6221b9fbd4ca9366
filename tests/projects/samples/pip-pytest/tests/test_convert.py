import pytest
from convert import to_celsius


@pytest.mark.parametrize(("fahrenheit", "celsius"), [(32, 0), (212, 100), (-40, -40)])
def test_known_points(fahrenheit, celsius):
    assert to_celsius(fahrenheit) == celsius


def test_texts_are_converted():
    assert to_celsius("32") == 0


@pytest.mark.skip(reason="no thermometer")
def test_measured():
    raise AssertionError
