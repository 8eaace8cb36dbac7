"""The JSON Schemas: found, read and compiled once.

They are public files: `schemas/` in the repository, `reconciler/_data/schemas` in an installed wheel. An
editable install does not see the folder that the wheel maps, so both places are looked at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler.errors import ReconcilerError
from reconciler.manifests.formats import FORMATS, has_decimals

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

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
    of this repository brings. A part is named by a pointer: `project#/$defs/connection`.
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


@cache
def acceptance(name: str) -> Callable[[Any], bool]:
    """Return the quick check of a schema: True is certain; False means that `validator` has the last word.

    The sentences come from jsonschema, which takes more than the whole rest of a validation: it is
    asked only about documents that the compiled validator does not accept.
    """
    import jsonschema_rs  # noqa: PLC0415 - 25 ms, for a quick --help

    contents = [(_URN + each, load_schema(each)) for each in schema_names()]
    check = jsonschema_rs.Draft202012Validator(
        _standalone(name),
        formats=dict(FORMATS),
        validate_formats=True,
        registry=jsonschema_rs.Registry(contents, draft=jsonschema_rs.Draft202012),
        keywords={"maxDecimals": _MaxDecimals},
    )

    def accepts(value: Any) -> bool:
        try:
            return check.is_valid(value)
        except ValueError:  # nested deeper, or a number larger, than it takes
            return False

    return accepts


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
    # 0.1 s to import, and needed only where something is wrong.
    from jsonschema import Draft202012Validator, FormatChecker, ValidationError  # noqa: PLC0415
    from jsonschema.validators import extend  # noqa: PLC0415
    from referencing import Registry  # noqa: PLC0415
    from referencing.jsonschema import DRAFT202012  # noqa: PLC0415

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
    return Path(__file__).resolve().parents[2] / "schemas"


def _read(name: str) -> dict[str, Any]:
    entry: Traversable = Path(name) if Path(name).is_absolute() else _folder() / (name.removesuffix(_SUFFIX) + _SUFFIX)
    try:
        schema: dict[str, Any] = json.loads(entry.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"the schema {name} cannot be read: {error}"
        raise ReconcilerError(message, hint=f"schemas are: {', '.join(schema_names())}") from error
    return schema
