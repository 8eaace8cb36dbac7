"""The shape that a document must have, as a table, and what is wrong with one that has another, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

DEEPEST = 40
"""Levels of nesting of a document; no value of any kind comes near it."""


@dataclass(frozen=True, slots=True)
class Each:
    """A list whose members all have one shape."""

    shape: Any


@dataclass(frozen=True, slots=True)
class Maybe:
    """Null, or something of a shape."""

    shape: Any


@dataclass(frozen=True, slots=True)
class Optional:
    """Something of a shape that may also be left out of an object."""

    shape: Any


@dataclass(frozen=True, slots=True)
class Rest:
    """An object of any keys whose values all have one shape."""

    shape: Any


TEXT, FLAG, COUNT, ANY = (str,), (bool,), (int,), (object,)
NUMBER = (int, float)

_NAMES: dict[type, str] = {
    str: "text",
    dict: "an object",
    list: "a list",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    type(None): "null",
}


class Misshapen(Exception):
    """A document is not of the shape it should have; the message says where and what was expected."""


def refuse(what: str) -> NoReturn:
    """Raise `Misshapen`."""
    raise Misshapen(what)


def check(value: Any, shape: Any, where: str) -> None:
    """Raise `Misshapen` where a value is not of a shape: a mapping, a tuple of types or texts, or one of the above."""
    if isinstance(shape, Maybe):
        _check_maybe(value, shape.shape, where)
    elif isinstance(shape, Each):
        _check_each(value, shape.shape, where)
    elif isinstance(shape, Rest):
        _need(value, (dict,), where)
        for key, item in value.items():
            check(item, shape.shape, f"{where}.{key}")
    elif isinstance(shape, Mapping):
        _need(value, (dict,), where)
        for key, inner in shape.items():
            if isinstance(inner, Optional):
                if key in value:
                    check(value[key], inner.shape, f"{where}.{key}")
                continue
            if key not in value:
                refuse(f"{where} has no {key!r}")
            check(value[key], inner, f"{where}.{key}")
    elif all(isinstance(item, str) for item in shape):
        if value not in shape:
            refuse(f"{where} {value!r} is not one of {', '.join(shape)}")
    else:
        _need(value, shape, where)


def _check_maybe(value: Any, shape: Any, where: str) -> None:
    if value is None:
        return
    if isinstance(shape, tuple) and all(isinstance(item, type) for item in shape):
        _need(value, (*shape, type(None)), where)
    check(value, shape, where)


def _check_each(value: Any, shape: Any, where: str) -> None:
    _need(value, (list,), where)
    if shape == TEXT and not all(isinstance(item, str) for item in value):
        refuse(f"{where} must be a list of texts")
    for number, item in enumerate(value):
        check(item, shape, f"{where}[{number}]")


def _need(value: Any, types: tuple[type, ...], where: str) -> None:
    # A bool is an int to Python, but not to a document.
    if isinstance(value, types) and not (isinstance(value, bool) and bool not in types and object not in types):
        return
    expected = " or ".join(_NAMES[kind] for kind in types if not (kind is int and float in types))
    refuse(f"{where} must be {expected}, and is {_NAMES[type(value)]}")


def check_depth(value: Any) -> None:
    """Raise `Misshapen` for a document that is nested deeper than anything here can follow."""
    level = [value]
    for _ in range(DEEPEST):
        inner = [item for item in level if isinstance(item, (dict, list))]
        level = [each for item in inner for each in (item.values() if isinstance(item, dict) else item)]
        if not level:
            return
    refuse("it is nested too deeply")
