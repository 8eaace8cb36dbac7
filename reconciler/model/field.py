"""What the value of one field is: the entry of a kind's field table, from which both sides are read and written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from msgspec import Struct

from reconciler.model.canonical import clock, day, flag, money, text, whole, word

FieldType = Literal["text", "whole", "money", "flag", "day", "clock", "word", "id", "texts", "choices", "counts"]
"""What a value is: `id` is a number kept as digits; `texts`, `choices` and `counts` map names to texts,
to words and to whole numbers."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a kind."""

    type: FieldType
    words: tuple[str, ...] = ()
    """The words of an enumeration (`type` is word), by their number on the wire."""
    canonical: Callable[[Any], Any] = field(init=False, compare=False, repr=False)
    """Returns a declared value as canonical; ValueError says what was expected."""

    def __post_init__(self) -> None:
        """Choose how its values become canonical, once for all of them."""
        chosen = partial(word, words=self.words) if self.type == "word" else _CANONICAL[self.type]
        object.__setattr__(self, "canonical", chosen)


class FieldError(ValueError):
    """A field has a value that cannot be used; the message says what was expected."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        """The field of the spec."""


@contextmanager
def at_field(name: str) -> Iterator[None]:
    """Turn a ValueError inside this block into a FieldError of this field."""
    try:
        yield
    except ValueError as error:
        raise FieldError(name, str(error)) from None


class Default(Struct, frozen=True, kw_only=True, gc=False):
    """What an API documents that it sets where a create does not state a field."""

    path: str
    value: Any = None
    """The value, canonical; None where `rule` says it."""
    rule: str | None = None
    """How the API finds a value that depends on the day of the create, as text."""


FieldTable = Mapping[str, Field]
"""The fields of a kind by name, in the order in which its API documents them and takes them."""


def canonical_fields(table: FieldTable, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return those fields of a spec that a table has, as canonical values in the table's order, or a FieldError."""
    fields = {}
    name = ""
    try:  # one for all fields: this runs for every object, on both sides
        for name, entry in table.items():
            if name in spec:
                fields[name] = entry.canonical(spec[name])
    except ValueError as error:
        raise FieldError(name, str(error)) from None
    return fields


_CANONICAL: Mapping[FieldType, Callable[[Any], Any]] = {
    "text": text,
    "whole": whole,
    "money": money,
    "flag": flag,
    "day": day,
    "clock": clock,
    "id": lambda value: str(whole(value)),
    "texts": lambda value: {str(name): text(item) for name, item in value.items()},
    "choices": lambda value: {str(name): str(choice) for name, choice in sorted(value.items())},
    "counts": lambda value: {str(name): whole(number) for name, number in sorted(value.items())},
}
