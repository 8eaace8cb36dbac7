"""Rows of the state's tables to values of the model, and back."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any, get_args

from reconciler.errors import ReconcilerError
from reconciler.model.canonical import now, plain
from reconciler.model.change import Effect
from reconciler.model.kind import Kind
from reconciler.model.objects import Address, Intent, Lease, PastRun, Record, is_address
from reconciler.model.sharing import shared
from reconciler.model.sighting import Sighting
from reconciler.registry import kinds
from reconciler.schema import load_schema, referenced
from reconciler.state.schema import BOOLEAN, FLOAT, INTEGER, JSON, TABLES, Column

Row = Mapping[str, Any]
"""A row by the names of its columns."""

CONFIRMED = "d"
"""Ends the effect of a confirmed call: `created`. A version that does not know it takes it for no create."""


class Damaged(ReconcilerError):
    """The state holds what this program never writes."""

    code = "state-damaged"


def decoded(text: str | bytes) -> Any:
    """Read a JSON value of a state; Damaged if it is none."""
    try:
        value = json.loads(text, cls=_Decoder) if isinstance(text, bytes) else _DECODER.decode(text)
        if isinstance(text, bytes) or "\\u" in text or not text.isascii():
            json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except (ValueError, TypeError, RecursionError):
        raise Damaged("it has a value that is not JSON") from None
    return value


def encoded(value: Any) -> str:
    """Return the JSON of a value; ReconcilerError for one that `decoded` would refuse."""
    try:
        text = json.dumps(value, allow_nan=False)
        if "\\ud" in text:
            decoded(text)
    except (ValueError, Damaged):
        raise ReconcilerError("a value that is to be recorded is not JSON") from None
    return text


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


class _Decoder(json.JSONDecoder):
    def __init__(self) -> None:
        super().__init__(parse_float=_finite, parse_constant=_finite)


_DECODER = _Decoder()
"""Made once: making one takes as long as reading a value."""


def _truth(value: Any) -> Any:
    return bool(value) if value in {0, 1} else value


def _document(value: Any) -> Any:
    return None if value is None else decoded(value)


_TYPES = {column.name: column.type for table in TABLES.values() for column in table.columns.values()}

_DOCUMENTS = frozenset(name for name, kind in _TYPES.items() if kind == JSON)

DECODERS: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(_DOCUMENTS, _document),
    **{name: _truth for name, kind in _TYPES.items() if kind == BOOLEAN},
}
"""By the name of a column, for what SQLite keeps as text or as a number."""


def in_columns(values: Row) -> Row:
    """Return values by the names of their columns, those of JSON as text."""
    found = values.keys() & _DOCUMENTS
    if not found:
        return values
    return {**values, **{name: encoded(values[name]) for name in found if values[name] is not None}}


def _is_integer(value: object) -> bool:
    return type(value) is int


_CHECKS: Mapping[str, Callable[[Any], bool]] = {
    INTEGER: _is_integer,
    BOOLEAN: lambda value: isinstance(value, bool),
    FLOAT: lambda value: type(value) in {int, float} and math.isfinite(value),
    JSON: lambda _: True,
}
"""What each type of a column holds; any other type holds text. SQLite itself stores any value in any column."""


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_instant(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _is_instant_text(value: object) -> bool:
    return isinstance(value, str) and _is_instant(value)


def _are_sightings(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, dict)
        and item.keys() == set(Sighting.__struct_fields__)
        and _is_instant_text(item["since"])
        and (item["until"] is None or _is_instant_text(item["until"]))
        and (item["run_id"] is None or isinstance(item["run_id"], str))
        for item in value
    )


_SHAPES: Mapping[str, Callable[[Any], bool]] = {
    "fields": lambda value: isinstance(value, dict),
    "computed": lambda value: isinstance(value, dict) and all(isinstance(item, dict) for item in value.values()),
    "depends_on": lambda value: _is_texts(value) and all(is_address(item) for item in value),
    "ids": _is_texts,
    "context": lambda value: isinstance(value, dict) and all(isinstance(item, str) for item in value.values()),
    "sightings": lambda value: isinstance(value, dict) and all(_are_sightings(item) for item in value.values()),
    "first_seen": lambda value: isinstance(value, dict) and all(map(_is_instant_text, value.values())),
    "kind": lambda value: value in kinds(),
    "effect": lambda value: value.removesuffix(CONFIRMED) in get_args(Effect),
    "pending_until": lambda value: not value or _is_instant(value),
    "started_at": _is_instant,
}
"""What else is required of a column, in every table that has it."""


_Check = Callable[[Any], bool]


def _fits(schema: Mapping[str, Any], file: str) -> _Check:
    """Return whether a value of a field has the type that its schema says; its other rules may change."""
    if "$ref" in schema:
        name = referenced(file, schema["$ref"])
        return lambda value: _fits_named(name)(value)  # noqa: PLW0108 - looked up late: a schema may refer to itself
    if not schema.keys() & {"type", "enum"}:
        return lambda _: True
    check: _Check
    match schema.get("type"):
        case "array":
            item = _fits(schema.get("items", {}), file)
            check = lambda value: isinstance(value, list) and all(each is not None and item(each) for each in value)  # noqa: E731 - one of several
        case "object":
            check = _fits_members(schema, file)
        case _ if schema.get("format") == "iso-date-time":
            check = _is_instant_text
        case "string":
            check = _is_text
        case _:
            check = _is_scalar
    return lambda value: value is None or check(value)


@cache
def _fits_named(name: str) -> _Check:
    return _fits(load_schema(name), name.partition("#")[0])


def _fits_members(schema: Mapping[str, Any], file: str) -> _Check:
    stated = {name: _fits(member, file) for name, member in schema.get("properties", {}).items()}

    def check(value: Any) -> bool:
        return isinstance(value, dict) and all(stated[name](item) for name, item in value.items() if name in stated)

    return check


@cache
def _fields_of(name: str) -> Mapping[str, _Check]:
    """Return the checks of a kind's fields by name: they are made once, and every record is checked."""
    return {field: _fits(schema, name) for field, schema in load_schema(name).get("properties", {}).items()}


def _are_fields(fields: Mapping[str, Any], kind: Kind) -> bool:
    """Return whether recorded fields can be those of a kind."""
    stated = _fields_of(kind.schema)
    return all(stated[name](value) for name, value in fields.items() if name in stated) and all(
        key in member for name, key in kind.part_keys.items() for member in fields.get(name) or ()
    )


def _is_scalar(value: object) -> bool:
    return not isinstance(value, dict | list)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _right(column: Column) -> Callable[[Any], bool]:
    """Return whether a value is one that the column may hold."""
    usual = _CHECKS.get(column.type, _is_text)
    more = _SHAPES.get(column.name)
    return lambda value: (value is None and column.nullable) or (usual(value) and (more is None or more(value)))


_RIGHT = {column.name: _right(column) for table in TABLES.values() for column in table.columns.values()}
"""By the name of a column, which means the same in all tables."""


def checked(row: Row) -> Row:
    """Return a row whose values are what their columns are for; Damaged names the first one that is not."""
    check(row)
    return row


def check(found: Mapping[str, Any]) -> None:
    """Raise Damaged for values of a row, by column, that are not what their columns are for."""
    wrong = next((name for name, value in found.items() if name in _RIGHT and not _RIGHT[name](value)), None)
    if wrong is None and "name" in found and not is_address(f"{found['kind']}/{found['name']}"):
        wrong = "name"
    if (
        wrong is None
        and {"kind", "fields"} <= found.keys()
        and not _are_fields(found["fields"], kinds()[found["kind"]])
    ):
        wrong = "fields"
    if wrong is not None:
        which = "/".join(str(found[key]) for key in ("kind", "name", "run_id") if key in found)
        if wrong == "kind" and is_address(f"{found['kind']}/x"):
            message = f"the record {which} has the kind {found['kind']}, which no installed package defines"
            raise Damaged(message, hint="install the package that defines it")
        raise Damaged(f"the record {which} has invalid {wrong}")


def record_of(row: Row) -> Record:
    """Return a row as a managed object."""
    return Record(
        address=Address(shared(row["kind"]), row["name"]),
        connection=shared(row["connection"]),
        target=shared(row["target"]),
        remote_id=shared(row["remote_id"]),
        fields=shared(row["fields"]),
        computed=shared(row["computed"]),
        protect=row["protect"],
        depends_on=tuple(Address.parse(item) for item in row["depends_on"]),
        created_at=shared(row["created_at"]),
        updated_at=shared(row["updated_at"]),
        written_by=shared(row.get("written_by")),
    )


def record_values(record: Record) -> dict[str, Any]:
    """Return the columns of a record, updated now."""
    return {
        "connection": record.connection,
        "target": record.target,
        "remote_id": record.remote_id,
        "fields": plain(record.fields),
        "computed": plain(record.computed),
        "protect": record.protect,
        "depends_on": [str(address) for address in record.depends_on],
        "updated_at": now(),
    }


def lease_of(row: Row) -> Lease:
    """Return a row as a lease."""
    return Lease(
        run_id=row["run_id"],
        holder=row["holder"],
        host=row["host"],
        pid=row["pid"],
        since=row["since"],
        beat=row["beat"],
        expires=row["expires"],
        machine=row["machine"],
    )


def intent_of(row: Row) -> Intent:
    """Return a row as an intent: a call whose result is not known."""
    return Intent(
        run_id=row["run_id"],
        address=Address(row["kind"], row["name"]),
        connection=row["connection"],
        target=row["target"],
        effect=row["effect"].removesuffix(CONFIRMED),
        fields=row["fields"],
        started_at=row["started_at"],
        pending_until=row["pending_until"],
        confirmed=row["effect"].endswith(CONFIRMED),
    )


def intent_values(intent: Intent) -> dict[str, Any]:
    """Return the columns of an intent."""
    return {
        "run_id": intent.run_id,
        "kind": intent.address.kind,
        "name": intent.address.name,
        "connection": intent.connection,
        "target": intent.target,
        "effect": intent.effect + (CONFIRMED if intent.confirmed else ""),
        "fields": plain(intent.fields),
        "started_at": intent.started_at,
        "pending_until": intent.pending_until,
    }


def doubt_of(row: Row) -> Intent:
    """Return a row as a create whose result was never known."""
    return Intent(
        run_id=row["run_id"],
        address=Address(row["kind"], row["name"]),
        connection=row["connection"],
        target=row["target"],
        effect="create",
        fields=row["fields"],
        started_at=row["started_at"],
    )


def past_run_of(row: Row) -> PastRun:
    """Return a row as a run that wrote, or is writing."""
    return PastRun(
        run_id=row["run_id"],
        command=row["command"],
        plan_digest=row["plan_digest"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        ended=row["ended"],
        context=row.get("context") or {},
    )
