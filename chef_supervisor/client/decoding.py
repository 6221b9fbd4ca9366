"""From the JSON of the service to its answers as classes, forgiving whatever a newer service may add."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Any, Final, TypeVar, get_args

import attrs
from cattrs import Converter
from cattrs.errors import CattrsError
from cattrs.gen import make_dict_structure_fn, override

T = TypeVar("T")


def decode(document: object, kind: type[T]) -> T:
    """
    Returns: the answer.

    Raises:
        ValueError: something that every version says is not there, or is of another shape.
    """
    try:
        return _CONVERTER.structure(document, kind)
    except (CattrsError, AttributeError, KeyError, TypeError, ValueError) as error:
        msg = f"no {kind.__name__} can be made of it"
        raise ValueError(msg) from error


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


def _enum_of(kind: Any) -> type[enum.StrEnum] | None:
    """Returns: the enum of a type like `Cause | str | None`."""
    return next((one for one in get_args(kind) if isinstance(one, type) and issubclass(one, enum.StrEnum)), None)


def _make_word(kind: Any) -> Any:
    words = _enum_of(kind)

    def word(value: object, _kind: object) -> object:
        if value is None:
            return None
        text = str(value)
        return text if words is None or text not in set(words) else words(text)

    return word


def _time(value: object, _kind: object) -> dt.datetime:
    return dt.datetime.fromisoformat(str(value))


def _make_converter() -> Converter:
    converter = Converter(detailed_validation=False)
    converter.register_structure_hook_factory(lambda kind: _enum_of(kind) is not None, _make_word)
    converter.register_structure_hook(dt.datetime, _time)

    @converter.register_structure_hook_factory(attrs.has)
    def _from_camel_case(cls: type[attrs.AttrsInstance]) -> Any:
        renames: Any = {field.name: override(rename=_camel(field.name)) for field in attrs.fields(cls)}
        return make_dict_structure_fn(cls, converter, **renames)

    return converter


_CONVERTER: Final = _make_converter()
