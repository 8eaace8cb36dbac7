"""How tools are written and read on the wire. No I/O, so `plan` shows the exact calls."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from reconciler.plugin import (
    Call,
    Connection,
    Decision,
    Effect,
    Live,
    ProviderSettings,
    identifier,
    is_identifier,
    json_object,
    neutral,
    refusal_words,
)
from tool_hire.kind import FIELDS

WRITABLE = re.compile(r"/v1/depots/[a-z]{3}/tools(?:/[0-9]+)?")
"""Every path that is written to; its ids must be known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolHireSettings(ProviderSettings):
    """The settings that only connections of this provider have, as `connection.schema.json` describes them."""

    depot: str

    @property
    def account(self) -> str:
        """What ids belong to, beside the host: those of one depot mean nothing in another."""
        return f"depot {self.depot}"


def tools_path(connection: Connection) -> str:
    """Return the path of a depot's tools."""
    return f"/v1/depots/{ToolHireSettings.of(connection).depot}/tools"


def calls(change: Decision, connection: Connection) -> tuple[Call, ...]:
    """Return the calls of a change, in the order in which they are sent."""
    path = tools_path(connection)
    if change.action == "create":
        return (_call(change, "create", "POST", path, change.declared),)
    one = f"{path}/{identifier(change.remote_id)}"
    if change.action == "delete":
        return (_call(change, "delete", "DELETE", one),)
    return tuple(_call(change, "update", "PATCH", one, edit.values) for edit in change.edits)


def _call(change: Decision, effect: Effect, method: str, path: str, body: Mapping[str, Any] | None = None) -> Call:
    return Call(
        address=change.address,
        connection=change.connection,
        effect=effect,
        method=method,
        path=path,
        body=body,
        repeatable=effect != "create",  # sent twice, a PATCH or DELETE has the same result
    )


def encode(body: Mapping[str, Any]) -> bytes:
    """Return the body of a call as JSON."""
    return json.dumps(body).encode("ascii")


def decode_list(body: bytes) -> dict[str, Mapping[str, Any]]:
    """Return the rows of the list by id; ValueError where it is not whole, because a gap looks like a deletion."""
    data = _answered(body)
    rows = data.get("tools")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows) or data.get("total") != len(rows):
        raise ValueError("a list of tools that is not complete")
    return {_id(row): row for row in rows}


def decode_one(body: bytes, asked: str) -> Mapping[str, Any]:
    """Return the row with the id `asked`; ValueError for any other answer."""
    row = _answered(body)
    if _id(row) != asked:
        raise ValueError(f"returned {_id(row)} instead")
    return row


def decode(row: Mapping[str, Any]) -> Live:
    """Return a tool as the API returned it: only fields that are in the answer, in canonical values."""
    fields = {}
    for name, field in FIELDS.items():
        value = row.get(name)
        if value is None:
            continue
        fields[name] = field.canonical(value if isinstance(value, (str, int, Decimal)) else repr(value))
    return Live(remote_id=_id(row), fields=fields)


def created_id(body: bytes) -> str | None:
    """Return the id of a new tool; None where the answer to a create does not show it."""
    try:
        return _id(json_object(body))
    except ValueError:
        return None


def check_answered(body: bytes, path: str, *, read_back: bool) -> None:
    """Raise ValueError where the answer to a write is about another tool."""
    del read_back
    decode_one(body, path.rpartition("/")[2])


def _answered(body: bytes) -> dict[str, Any]:
    """Return a JSON object that is not an error: APIs send errors with status 200, too."""
    data = json_object(body)
    refused = refusal_words(data)
    if refused is not None:
        raise ValueError(f"the server reported an error: {refused}")
    return data


def _id(row: Mapping[str, Any]) -> str:
    found = str(row.get("id"))
    if not is_identifier(found):
        raise ValueError(f"a tool with the id {neutral(repr(found), 40)}; expected digits")
    return found
