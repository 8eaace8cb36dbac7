"""The JSON Schemas: found, read, compiled once, and what is wrong with a value by them.

The shipped ones are public files: `schemas/` in the repository, `reconciler/_data/schemas` in an installed wheel. Both
places are searched, because an editable install has no folder `_data`. Another package ships its own: `PACKAGE:NAME` is
its file `NAME.schema.json`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from reconciler import zones
from reconciler.errors import ReconcilerError
from reconciler.model import moments
from reconciler.provider_schemas import with_connections

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    import jsonschema_rs
    from jsonschema.protocols import Validator


_SUFFIX = ".schema.json"
_PATTERN = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|[$.]", re.DOTALL)
_ESCAPED = re.compile(r"\\.", re.DOTALL)
_BLANKS = r"\t-\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
"""What `\\s` means in JavaScript."""
_READABLE = frozenset({str, int, float, bool, type(None), dict, list})  # types that the compiled validator takes
_URN = "urn:reconciler:schema:"


def schema_names() -> tuple[str, ...]:
    """Return the names of the shipped schemas, sorted: `block`, `envelope` and so on."""
    found = (entry.name for entry in _folder().iterdir())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in found if name.endswith(_SUFFIX)))


@cache
def load_schema(name: str) -> dict[str, Any]:
    """Return one schema as JSON data, to be read and not changed.

    `name` is `session`, `tool_hire:tool` for a file of the package `tool_hire`, or an absolute path. A pointer names
    a part: `project#/$defs/connection`. `project+tool-hire=tool_hire:connection` is the schema `project` with the
    settings that this file describes for the provider `tool-hire`. ReconcilerError where there is no such schema.
    """
    file, _, pointer = name.partition("#/")
    schema = _read(file)
    for step in pointer.split("/") if pointer else ():
        schema = schema[step]
    return schema


def referenced(file: str, reference: str) -> str:
    """Return the name of what a `$ref` in a file refers to."""
    return f"{file}{reference}" if reference.startswith("#") else reference.removeprefix(_URN)


def whole_sentence(rule: Mapping[str, Any]) -> bool:
    """Whether the `errorMessage` of a rule is a whole sentence, not only what was expected."""
    return rule.get("wholeSentence", False) is True


class Mismatch(Struct, frozen=True, kw_only=True):
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
    except ValueError:  # as in `acceptance`
        error = next(check.iter_errors(_plain(value)), None)
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
    """Return the quick check of a schema. What it does not accept is wrong, also where `validator` finds no error.

    jsonschema has the sentences for manifests, but takes longer than all the rest: it sees only what this refuses.
    """
    check = _compiled(name)

    def accepts(value: Any) -> bool:
        readable = value.__class__ is not dict or _READABLE.issuperset(map(type, value.values()))
        with suppress(ValueError):
            if readable and check.is_valid(value):
                return True
        try:  # a number that knows its spelling, a lone surrogate, or what no JSON text can hold: refused, or an error
            return check.is_valid(_plain(value))
        except (ValueError, RecursionError):
            return False

    return accepts


def _plain(value: Any) -> Any:
    """Return a value as the compiled validator can read it: plain numbers, and `?` for each lone surrogate."""
    if isinstance(value, str):
        return value if type(value) is str and value.isascii() else value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return float(value) if isinstance(value, float) else value


@cache
def _compiled(name: str) -> jsonschema_rs.Draft202012Validator:
    import jsonschema_rs  # noqa: PLC0415 - 25 ms, for a quick --help

    contents = [(_URN + each, load_schema(each)) for each in schema_names()]
    try:
        return jsonschema_rs.Draft202012Validator(
            _standalone(name),
            formats=dict(FORMATS),
            validate_formats=True,
            registry=jsonschema_rs.Registry(contents, draft=jsonschema_rs.Draft202012),
            keywords={"maxDecimals": _MaxDecimals},
        )
    except jsonschema_rs.ValidationError as error:
        if ":" not in name:
            raise
        at = "/".join(map(str, error.instance_path))
        raise _unusable(name, f"{at}: {error.message}" if at else error.message) from error


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

    def unique_items(_: object, wanted: bool, instance: object, _schema: object) -> Iterator[ValidationError]:
        if wanted and isinstance(instance, list) and repeated(instance) is not None:
            yield ValidationError("an item occurs twice")

    checker: type[Validator] = extend(  # type: ignore[no-untyped-call]
        Draft202012Validator,
        {"maxDecimals": max_decimals, "pattern": pattern, "uniqueItems": unique_items},
        type_checker=Draft202012Validator.TYPE_CHECKER.redefine("number", _is_number),
    )
    return checker(_standalone(name), registry=registry, format_checker=formats)


def _is_number(_: object, value: object) -> bool:
    """Return whether a value is a number of JSON, which has neither infinities nor NaN."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


@cache
def _as_in_editors(expression: str) -> re.Pattern[str]:
    r"""Compile a schema's pattern as JavaScript reads it.

    In Python `$` also fits before a last newline, `.` also a carriage return, `\d` and `\w` other scripts, and `\s`
    other blanks.
    """
    return re.compile(_PATTERN.sub(_in_python, expression), re.ASCII)


def _in_python(match: re.Match[str]) -> str:
    text = match[0]
    if text.startswith("["):
        return _ESCAPED.sub(lambda part: _BLANKS if part[0] == r"\s" else part[0], text)
    return {"$": r"\Z", ".": r"[^\n\r\u2028\u2029]", r"\s": f"[{_BLANKS}]", r"\S": f"[^{_BLANKS}]"}.get(text, text)


@cache
def _folder() -> Path:
    inside = Path(__file__).parent / "_data" / "schemas"
    return inside if inside.is_dir() else Path(__file__).resolve().parents[1] / "schemas"


def _folder_of(package: str) -> Traversable:
    from importlib import resources  # noqa: PLC0415 - 3 ms that only a package of others needs

    return resources.files(package)


def _read(name: str) -> dict[str, Any]:
    alone = Path(name).is_absolute()
    base, *parts = [name] if alone else name.split("+")
    if parts:
        named = dict(part.split("=", 1) for part in parts)
        try:
            return with_connections(_read(base), {provider: load_schema(file) for provider, file in named.items()})
        except ValueError as error:
            raise _unusable(name, str(error)) from error
    package, _, file = ("", "", name) if alone else name.rpartition(":")
    try:
        folder = _folder_of(package) if package else _folder()
        schema: dict[str, Any] = json.loads(
            (folder / f"{file.removesuffix(_SUFFIX)}{_SUFFIX}").read_text(encoding="utf-8")
        )
    except (ImportError, OSError, ValueError) as error:
        if package:
            raise _unusable(name, f"it cannot be read: {error}") from error
        message = f"the schema {name} cannot be read: {error}"
        raise ReconcilerError(message, hint=f"schemas are: {', '.join(schema_names())}") from error
    if package and not (isinstance(schema, dict) and {"title", "description", "properties"} <= schema.keys()):
        raise _unusable(name, "it has no title, description or properties")
    return schema


def _unusable(name: str, why: str) -> ReconcilerError:
    """Return the error for a schema of another package."""
    files = [part.rpartition("=")[2] for part in name.partition("#")[0].split("+") if ":" in part]
    packages = sorted({file.partition(":")[0] for file in files})
    message = f"the schema {', '.join(files)} is not usable: {why}"
    return ReconcilerError(message, hint=f"fix or uninstall the package {' or '.join(packages)}")


def _check(accepts: Callable[[str], object]) -> Callable[[object], bool]:
    """Return a check of strings, which a ValueError or False refuses; any other type is accepted."""

    def check(value: object) -> bool:
        try:
            return not isinstance(value, str) or bool(accepts(value))
        except ValueError:
            return False

    return check


FORMATS: Mapping[str, Callable[[object], bool]] = {
    "date": _check(moments.is_day),
    "iso-date-time": _check(moments.moment),
    "time-of-day": _check(lambda text: moments.fault(text) is None),
    "iana-timezone": _check(zones.zone),
}
"""The `format`s that the schemas name: rules that a regular expression cannot hold, such as `2027-02-29`."""


def has_decimals(value: object, at_most: int) -> bool:
    """Return whether a number has at most so many decimals: the keyword `maxDecimals` of our schemas.

    It is exact as people read numbers, unlike `multipleOf`, which 35.1 fails as a float.
    """
    if not isinstance(value, float):
        return True
    return math.isfinite(value) and round(value, at_most) == value


def repeated(items: Sequence[object]) -> object:
    """Return the first item of a list that equals an earlier one, None if there is none.

    jsonschema compares each with all the others where one of them is no text.
    """
    seen: set[str] = set()
    for item in items:
        form = json.dumps(_by_value(item), sort_keys=True)
        if form in seen:
            return item
        seen.add(form)
    return None


def _by_value(item: Any) -> Any:
    """Return a value in which equal numbers are spelled alike."""
    if isinstance(item, list):
        return [_by_value(each) for each in item]
    if isinstance(item, dict):
        return {key: _by_value(each) for key, each in item.items()}
    return int(item) if isinstance(item, float) and item.is_integer() else item
