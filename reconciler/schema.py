"""The shipped JSON Schemas: found, read, compiled once, and what is wrong with a value by them.

They are public files: `schemas/` in the repository, `reconciler/_data/schemas` in an installed wheel. An
editable install does not see the folder that the wheel maps, so both places are searched.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from zoneinfo import ZoneInfo

from reconciler.errors import ReconcilerError

if TYPE_CHECKING:
    import jsonschema_rs
    from jsonschema.protocols import Validator

DEEPEST = 40
"""Levels of nesting that `strict_json` accepts; no value of any kind comes near it."""

_SUFFIX = ".schema.json"
_DOLLAR = re.compile(r"(?P<other>\\.|\[(?:\\.|[^\]\\])*\])|\$", re.DOTALL)
_URN = "urn:reconciler:schema:"


def schema_names() -> tuple[str, ...]:
    """Return the names of the shipped schemas, sorted: `block`, `envelope` and so on."""
    found = (entry.name for entry in _folder().iterdir())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in found if name.endswith(_SUFFIX)))


@cache
def load_schema(name: str) -> dict[str, Any]:
    """Return one schema as JSON data, to be read and not changed.

    `name` is `session` or `session.schema.json`, or the absolute path of a file that a package outside
    of this repository ships. A pointer names a part: `project#/$defs/connection`.
    ReconcilerError where there is no such schema.
    """
    file, _, pointer = name.partition("#/")
    schema = _read(file)
    for step in pointer.split("/") if pointer else ():
        schema = schema[step]
    return schema


def whole_sentence(rule: Mapping[str, Any]) -> bool:
    """Whether the `errorMessage` of a rule is a whole sentence, not only what was expected."""
    return rule.get("wholeSentence", False) is True


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """The first rule of a schema that a value breaks."""

    path: tuple[str | int, ...]
    """Where the wrong value is: keys and indexes from the outermost value."""
    rule: str
    """The schema's keyword, such as `type` or `required`."""
    schema: Mapping[str, Any]
    """The part of the schema that contains the rule."""
    value: Any
    """The wrong value."""
    message: str
    """The validator's words."""


def first_mismatch(name: str, value: Any) -> Mismatch | None:
    """Return the first rule of a schema that a value breaks, None where it fits."""
    check = _compiled(name)
    try:
        error = next(check.iter_errors(value), None)
    except UnicodeEncodeError:  # it takes no lone surrogates, which JSON can write and no schema forbids
        return first_mismatch(name, json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")))
    if error is None:
        return None
    *steps, rule = error.schema_path
    schema = _standalone(name)
    part: Any = schema
    for step in steps:
        part = _target(schema, part["$ref"]) if step == "$ref" else part[step]
    return Mismatch(
        path=tuple(error.instance_path),
        rule=str(rule),
        schema=part,
        value=error.instance,
        message=error.message,
    )


def _target(schema: Mapping[str, Any], reference: str) -> Any:
    part: Any = schema
    for step in reference.removeprefix("#/").split("/"):
        part = part[step]
    return part


@cache
def acceptance(name: str) -> Callable[[Any], bool]:
    """Return the quick check of a schema: True is certain; False means that `validator` has the last word.

    The sentences for manifests come from jsonschema, which takes longer than the rest of a validation: it
    sees only documents that the compiled validator does not accept.
    """
    check = _compiled(name)

    def accepts(value: Any) -> bool:
        try:
            return check.is_valid(value)
        except ValueError:  # nested deeper, or a number larger, than it takes
            return False

    return accepts


@cache
def _compiled(name: str) -> jsonschema_rs.Draft202012Validator:
    import jsonschema_rs  # noqa: PLC0415 - 25 ms, for a quick --help

    contents = [(_URN + each, load_schema(each)) for each in schema_names()]
    return jsonschema_rs.Draft202012Validator(
        _standalone(name),
        formats=dict(FORMATS),
        validate_formats=True,
        registry=jsonschema_rs.Registry(contents, draft=jsonschema_rs.Draft202012),
        keywords={"maxDecimals": _MaxDecimals},
    )


class _MaxDecimals:
    """The keyword `maxDecimals` as the compiled validator wants it."""

    def __init__(self, _schema: object, limit: int, _path: object) -> None:
        self._limit = limit

    def validate(self, instance: object) -> None:
        """Raise ValueError where a number has more decimals."""
        if not has_decimals(instance, self._limit):
            message = f"{instance!r} has more than {self._limit} decimals"
            raise ValueError(message)


def _standalone(name: str) -> dict[str, Any]:
    """Return a schema that can be compiled alone: a part keeps its file's definitions in reach."""
    schema = load_schema(name)
    if "#/" not in name:
        return schema
    return {**schema, "$defs": load_schema(name.partition("#")[0]).get("$defs", {})}


@cache
def validator(name: str) -> Validator:
    """Return the jsonschema validator of a schema, its `$ref`s resolved among the shipped schemas."""
    from jsonschema import Draft202012Validator, FormatChecker, ValidationError  # noqa: PLC0415 - 100 ms, for errors only
    from jsonschema.validators import extend  # noqa: PLC0415 - as above
    from referencing import Registry  # noqa: PLC0415 - as above
    from referencing.jsonschema import DRAFT202012  # noqa: PLC0415 - as above

    formats = FormatChecker(formats=())
    for title, check in FORMATS.items():
        formats.checks(title)(check)
    contents = [(_URN + each, load_schema(each)) for each in schema_names()]
    registry = Registry().with_contents(contents, default_specification=DRAFT202012)

    def max_decimals(_: object, limit: int, instance: object, _schema: object) -> Iterator[ValidationError]:
        if not has_decimals(instance, limit):
            yield ValidationError(f"{instance!r} has more than {limit} decimals")

    def pattern(_: object, expression: str, instance: object, _schema: object) -> Iterator[ValidationError]:
        if isinstance(instance, str) and not _as_in_editors(expression).search(instance):
            yield ValidationError(f"{instance!r} does not match {expression!r}")

    checker: type[Validator] = extend(  # type: ignore[no-untyped-call]
        Draft202012Validator, {"maxDecimals": max_decimals, "pattern": pattern}
    )
    return checker(_standalone(name), registry=registry, format_checker=formats)


@cache
def _as_in_editors(expression: str) -> re.Pattern[str]:
    """Compile a schema's pattern with the `$` of JavaScript and Rust: Python's own also fits before a last newline."""
    return re.compile(_DOLLAR.sub(lambda match: match["other"] or r"\Z", expression))


@cache
def _folder() -> Traversable:
    inside = resources.files("reconciler") / "_data" / "schemas"
    if inside.is_dir():
        return inside
    return Path(__file__).resolve().parents[1] / "schemas"


def _read(name: str) -> dict[str, Any]:
    entry: Traversable = Path(name) if Path(name).is_absolute() else _folder() / (name.removesuffix(_SUFFIX) + _SUFFIX)
    try:
        schema: dict[str, Any] = json.loads(entry.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"the schema {name} cannot be read: {error}"
        raise ReconcilerError(message, hint=f"schemas are: {', '.join(schema_names())}") from error
    return schema


def _readable(parse: Callable[[str], object]) -> Callable[[object], bool]:
    """Return a check that a string can be parsed; it accepts any other type."""

    def check(value: object) -> bool:
        try:
            return not isinstance(value, str) or parse(value) is not None
        except (ValueError, OSError, KeyError):
            return False

    return check


FORMATS: Mapping[str, Callable[[object], bool]] = {
    "date": _readable(date.fromisoformat),
    "iso-date-time": _readable(datetime.fromisoformat),
    "iana-timezone": _readable(ZoneInfo),
}
"""The `format`s that the schemas name: rules that a regular expression cannot hold, such as `2027-02-29`."""


def has_decimals(value: object, at_most: int) -> bool:
    """Return whether a number has at most so many decimals: the keyword `maxDecimals` of our schemas.

    It is exact as people read numbers, unlike `multipleOf`, which 35.1 fails as a float.
    """
    if not isinstance(value, float):
        return True
    exponent = Decimal(repr(value)).as_tuple().exponent
    return isinstance(exponent, int) and (exponent >= -at_most or value.is_integer())


def strict_json(text: str) -> Any:
    """Return the value of a JSON text; ValueError says what is wrong with it.

    Unlike `json.loads` it refuses what two readers could read differently (repeated keys, NaN, numbers out of
    range) and nesting that nothing here can follow.
    """
    try:
        value = json.loads(
            text, parse_constant=_no_constant, parse_float=_finite, parse_int=_whole, object_pairs_hook=_unique
        )
    except json.JSONDecodeError as error:
        message = f"it is not JSON: line {error.lineno}, column {error.colno}: {error.msg}"
        raise ValueError(message) from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    level = [value]
    for _ in range(DEEPEST):
        inner = [item for item in level if isinstance(item, (dict, list))]
        level = [each for item in inner for each in (item.values() if isinstance(item, dict) else item)]
        if not level:
            return value
    raise ValueError("it is nested too deeply")


def _no_constant(name: str) -> NoReturn:
    message = f"{name} is not a JSON value"
    raise ValueError(message)


def _finite(digits: str) -> float:
    number = float(digits)
    if number in {float("inf"), float("-inf")}:
        message = f"the number {digits[:20]}… is too large"
        raise ValueError(message)
    return number


def _whole(digits: str) -> int:
    try:
        return int(digits)
    except ValueError:
        message = f"the number {digits[:20]}… is too large"
        raise ValueError(message) from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for key in keys if keys.count(key) > 1)
        message = f"the key {repeated!r} appears twice in one object"
        raise ValueError(message)
    return found
