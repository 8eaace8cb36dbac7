"""What is wrong with a value: one sentence for each mistake.

jsonschema finds the errors; the schemas carry the words. `errorMessage`, which editors show too, says what was
expected; with `wholeSentence` it is the whole sentence. `writeOnly` marks values that may be secrets and are never
shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from msgspec import Struct

from reconciler import zones
from reconciler.manifests.build import MAX_MISTAKES
from reconciler.manifests.describe import is_required
from reconciler.manifests.scalars import is_digits, plain_scalar, shown
from reconciler.model import moments
from reconciler.model.nearest import did_you_mean, nearest
from reconciler.model.objects import Address, Positions, Problem
from reconciler.model.words import listed
from reconciler.schema import acceptance, first_mismatch, repeated, validator, whole_sentence

Path = tuple[str | int, ...]


class _Mistake(Struct, frozen=True):
    path: Path
    summary: str
    key: bool = False
    hint: str | None = None


def schema_problems(
    name: str, value: Any, positions: Positions, *, base: Path = (), address: Address | None = None
) -> list[Problem]:
    """Check `value` against a schema. `base` is the path of the value in its document."""
    if acceptance(name)(value):
        return []
    problems: list[Problem] = []
    seen: set[Path] = set()
    for error in validator(name).iter_errors(value):
        for mistake in _mistakes(name, error):
            if mistake.path in seen:
                continue  # a second rule about the same value reports the same mistake
            if len(problems) >= MAX_MISTAKES:
                return problems
            seen.add(mistake.path)
            where = positions.locate((*base, *mistake.path), key=mistake.key)
            problems.append(
                Problem(code="schema", summary=mistake.summary, where=where, hint=mistake.hint, address=address)
            )
    return problems or [_disagreement(name, value, positions, base, address)]


def _disagreement(name: str, value: Any, positions: Positions, base: Path, address: Address | None) -> Problem:
    """Report a value that only one of the two validators accepts: it is not known which of them is right."""
    try:
        found = first_mismatch(name, value)
    except (ValueError, RecursionError):  # it cannot even read the value
        found = None
    path, rule = (found.path, f"breaks its rule {found.rule!r}") if found else ((), "cannot be read")
    return Problem(
        code="schema-disagreement",
        summary=(
            f"{label(path) or 'the document'} {rule} for one validator of the schema {name}, "
            "and is valid for the other one; expected a value that both accept"
        ),
        where=positions.locate((*base, *path)),
        hint="write the value in another way, and report this as a defect of reconciler",
        address=address,
    )


def _mistakes(name: str, error: Any) -> Iterator[_Mistake]:
    """Describe one jsonschema `ValidationError` (untyped, because `acceptance` avoids importing jsonschema)."""
    path: Path = tuple(error.absolute_path)
    schema: Mapping[str, Any] = error.schema if isinstance(error.schema, Mapping) else {}
    message = schema.get("errorMessage")
    if error.validator == "additionalProperties":
        yield from _unknown(error, path, schema)
    elif error.validator == "propertyNames" or "propertyNames" in error.absolute_schema_path:
        key = str(error.instance)
        yield _Mistake((*path, key), f"the name {shown(key)} is not allowed; expected {message}", key=True)
    elif error.validator == "required":
        yield from _missing(error, path, schema)
    elif message is not None and (whole_sentence(schema) or error.validator == "not"):
        yield _sentence(error, path, message)
    else:
        yield _wrong(name, error, path, schema)


def _sentence(error: Any, path: Path, message: str) -> _Mistake:
    steps = [str(step) for step in reversed(error.absolute_schema_path)]
    if "dependentSchemas" in steps and isinstance(error.instance, dict):
        given = steps[steps.index("dependentSchemas") - 1]
        return _Mistake((*path, given), _inside(path) + message, key=True)
    holder = path if path and isinstance(path[-1], int) else path[:-1]
    return _Mistake(path, _inside(holder) + message, key=bool(path))


def _unknown(error: Any, path: Path, schema: Mapping[str, Any]) -> Iterator[_Mistake]:
    known = schema.get("properties", {})
    place = f" in {label(path)}" if path else ""
    for name in error.instance:
        if name not in known:
            meant = _meant_field(name, known)
            near = f'; did you mean "{meant}"?' if meant else ""
            # Under `auth`, a key that is similar to no known name may be a credential itself.
            what = "unknown field" if _AUTH in path and not near else f"unknown field {shown(name)}"
            hint = None if near else _misplaced(name, path, known)
            near = near or f"; expected {', '.join(known)}"
            yield _Mistake((*path, name), f"{what}{place}{near}", key=True, hint=hint)


def _missing(error: Any, path: Path, schema: Mapping[str, Any]) -> Iterator[_Mistake]:
    if whole_sentence(schema):
        message = schema["errorMessage"]
        missing = next(name for name in schema["required"] if name not in error.instance)
        steps = list(error.absolute_schema_path)
        given = steps[steps.index("dependentSchemas") + 1] if "dependentSchemas" in steps else None
        yield _Mistake((*path, str(given or missing)), _inside(path) + message, key=True)
        return
    known = schema.get("properties", {})
    unknown = (each for each in error.instance if each not in known)
    # A field that is written in another way is one mistake: what is said of the unknown field names it.
    closed = schema.get("additionalProperties") is False
    misspelt = {_meant_field(each, known) for each in islice(unknown, MAX_MISTAKES)} if closed else frozenset()
    for name in schema["required"]:
        if name not in error.instance and name not in misspelt:
            wanted = known.get(name)
            wanted = wanted.get("errorMessage") if isinstance(wanted, Mapping) else None
            expected = f"; expected {wanted}" if wanted else "; it is required"
            yield _Mistake((*path, name), f"{label((*path, name))} is missing{expected}", key=True)


def _wrong(name: str, error: Any, path: Path, schema: Mapping[str, Any]) -> _Mistake:
    value, kinds = error.instance, schema.get("type")
    expected = schema.get("errorMessage") or _KINDS.get(str(kinds), "another value")
    field = label(path) or "the document"
    if schema.get("writeOnly"):
        field = label(path if _is_known(error) else _unnamed(path))
        what = "is a literal" if error.validator == "type" else "cannot be used"
        if isinstance(value, dict):
            what = f"names {len(value)} sources"
        return _Mistake(
            path, f"{field} {what}; expected {expected}", hint="a credential must not be in the project file"
        )
    if error.validator == "uniqueItems":
        return _Mistake(path, f"{field} names {shown(repeated(value))} twice; expected {expected}")
    large = isinstance(value, str) and kinds != "string" and is_digits(value)
    what = (
        f"a number of {len(value)} characters" if large and len(value) > _READABLE else value if large else shown(value)
    )
    wrong = moments.fault(value) if isinstance(value, str) and schema.get("format") in _MOMENTS else None
    meant = _meant(value, schema)
    summary = f"{field} is {what}; {wrong or f'expected {expected}'}{meant}"
    hint = None
    if value is None:
        what = "use its default" if name.startswith("project") else "leave it unmanaged"
        hint = None if is_required(name, path) else f"leave the field out to {what}"
    elif kinds == "string" and isinstance(value, (int, float)) and _would_fit(shown(value), schema):
        example = f': "{shown(value)}"' if len(str(value)) <= _READABLE else ""
        hint = f"write it in quotes to make it text{example}"
    elif error.validator in {"type", "enum"} and isinstance(value, str):
        plain, word = plain_scalar(value), _BOOLEANS.get(value.lower()) if kinds == "boolean" else None
        if not isinstance(plain, (str, type(None))):
            hint = "remove the quotes"
            word = word or (value if not isinstance(plain, bool) and plain in schema.get("enum", ()) else None)
        elif word is not None:
            hint = f"write {word}"
        if word is not None and not meant:
            summary += f"; did you mean {word}?"
        elif "enum" in schema and not meant:
            summary += did_you_mean(value, [word for word in schema["enum"] if isinstance(word, str)])
    if error.validator == "format" and schema.get("format") == "iana-timezone":
        summary += _near_zone(value)
        hint = "an offset does not follow the clock changes of a place" if zones.is_offset(str(value)) else None
    return _Mistake(path, summary, hint=hint)


def _would_fit(text: str, schema: Mapping[str, Any]) -> bool:
    """Whether a number or boolean is valid once it is written as text."""
    return "format" not in schema and re.search(schema.get("pattern", ""), text) is not None


_READABLE = 60
"""Longer numbers are not shown."""

_MOMENTS = frozenset({"date", "iso-date-time", "time-of-day"})
"""The formats of dates and times."""

_AUTH = "auth"
"""The field of a connection that holds its credentials."""

_BOOLEANS = {
    **dict.fromkeys(("yes", "y", "on", "true"), "true"),
    **dict.fromkeys(("no", "n", "off", "false"), "false"),
}
"""How YAML 1.1 and other formats write true and false. Here they are text."""

_KINDS = {"string": "text", "object": "a mapping", "array": "a list", "boolean": "true or false"}


def _meant_field(name: str, known: Mapping[str, Any]) -> str | None:
    """Return the field that a word means: that with another word for it, or with a similar name."""
    word = name.lower().replace("-", "_")
    rules = ((field, rule) for field, rule in known.items() if isinstance(rule, Mapping))
    synonym = next((field for field, rule in rules if word in rule.get("synonyms", ())), None)
    return synonym or nearest(name, known)


def _misplaced(name: str, path: Path, known: Mapping[str, Any]) -> str | None:
    """Return the hint for a key that may be indented wrongly."""
    if name != name.strip():
        return "the line begins with characters that look like spaces: replace them with spaces"
    return "a field of spec is indented below spec" if not path and "spec" in known else None


def _near_zone(name: object) -> str:
    """Name the zone that was probably meant. An abbreviation is near to others that mean another time."""
    text = str(name)
    found = zones.meant(text)
    if len(found) > 1:
        return f"; {text} is used in {listed(found, len(found))}"
    if found:
        return f'; did you mean "{found[0]}"?'
    return did_you_mean(text, (zone for zone in zones.names() if "/" in zone)) if "/" in text else ""


def _meant(value: object, schema: Mapping[str, Any]) -> str:
    """Name the value that was probably meant by another word, or in another notation of dates, lengths and amounts."""
    from reconciler.model.guesses import guesses  # noqa: PLC0415 - 2 ms of patterns, only for a mistake

    synonym = schema.get("enumSynonyms", {}).get(str(value).lower().replace(" ", "_"))
    quote = '"' if synonym or schema.get("type") == "string" else ""
    found = [f"{quote}{guess}{quote}" for guess in ([synonym] if synonym else guesses(value, schema))]
    return f"; did you mean {' or '.join(found)}?" if found else ""


def _is_known(error: Any) -> bool:
    """Return whether a wrong credential has a name that the schema knows."""
    steps = list(error.absolute_schema_path)
    return _AUTH not in steps or steps[steps.index(_AUTH) + 1] == "properties"


def _unnamed(path: Path) -> Path:
    """Return the path of a credential without its name, which may be a credential itself."""
    index = path.index(_AUTH)
    return (*path[: index + 1], "…", *path[index + 2 :])


def _inside(path: Path) -> str:
    return f"{label(path)}: " if path else ""


def label(path: Path) -> str:
    """Return a path as people write it: `slots[0].date`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text
