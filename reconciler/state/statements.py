"""The writes of a run that are more than values by column: each is one statement."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from reconciler.state.connection import Connection, adding
from reconciler.state.holder import EXPIRY
from reconciler.state.rows import CONFIRMED, Row
from reconciler.state.schema import IN_SCOPE, intents, leases, objects

_TICK = 0.001
"""Seconds by which a heartbeat moves where the clock does not: who watches it sees that the holder lives.

The beats may be ahead of a clock that stands still, but not of one that was set back.
"""

KEPT = ("run_id", "kind", "name", "connection", "target", "fields", "started_at")
"""The columns of an intent that a doubt keeps."""

_BEAT = f"""
UPDATE {leases.name} SET
  beat = CASE WHEN beat BETWEEN {{now}} AND {{now}} + 1 THEN beat + {_TICK} ELSE {{now}} END,
  expires = {{now}} + :lasts
WHERE {IN_SCOPE} AND run_id = :run_id
"""

_EXTEND = f"""
UPDATE {intents.name} SET pending_until = CASE WHEN pending_until > :until THEN pending_until ELSE :until END
WHERE number = :number
"""

_CONFIRM = f"UPDATE {intents.name} SET effect = effect || :mark WHERE number = :number AND effect NOT LIKE :marked"

_PUT = f"""
{adding(objects.name, list(objects.columns))} ON CONFLICT ({", ".join(objects.key)}) DO UPDATE SET
{", ".join(f"{name} = excluded.{name}" for name in objects.columns if name not in {*objects.key, "created_at"})}
"""


def renew(connection: Connection, scope: Mapping[str, str], run_id: str, pace: float) -> bool:
    """Renew the lease of a run, for `pace` times as long as usual; return whether the run holds it."""
    values = {**scope, "run_id": run_id, "lasts": EXPIRY * pace, "clock": time.time()}
    return connection.run(_BEAT.format(now=connection.now), values) > 0


def extend(connection: Connection, number: int, until: str) -> bool:
    """Have the call of an intent end at an instant, but not earlier than recorded; return whether it is open."""
    return connection.run(_EXTEND, {"number": number, "until": until}) == 1


def confirm(connection: Connection, number: int) -> None:
    """Mark an intent, whose call succeeded, once. Reads may be behind until its `pending_until`."""
    connection.run(_CONFIRM, {"number": number, "mark": CONFIRMED, "marked": f"%{CONFIRMED}"})


def put(connection: Connection, row: Row) -> None:
    """Add an object, or update the one that is there, but for when it was created."""
    connection.run(_PUT, row)


def settle(connection: Connection, one: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Delete the intents of the object that `one` selects, and return what they were."""
    found = list(connection.select(intents, one, columns=("number", "effect", *KEPT), lock=True))
    for row in found:
        connection.delete(intents, {"number": row["number"]})
    return found
