"""From when each change outside was seen: the memory of drift, and the fights that it shows. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from reconciler.model.canonical import plain
from reconciler.model.change import Change
from reconciler.model.objects import Address, Record
from reconciler.model.report import Drifted
from reconciler.model.sighting import WHOLE, DriftedField, Fight, Sighting, Sightings
from reconciler.redaction import redacted_data

KEPT = 10
"""Sightings kept of one field: the latest."""

PATHS = 50
"""Fields of one object of which sightings are kept."""

_LONGEST = 200
"""Characters of a value that are kept."""

Known = Mapping[Address, Sightings]


def brief(value: Any) -> Any:
    """Return a value as it is kept: without credentials, and only the beginning where it is long."""
    kept = redacted_data(plain(value))
    text = json.dumps(kept, ensure_ascii=False, sort_keys=True)
    return kept if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def observed(known: Known, objects: Iterable[Drifted], records: Mapping[Address, Record], moment: str) -> Known:
    """Return the sightings of the objects of a drift check, which was made at `moment`.

    What was seen before keeps its beginning. What is no longer there ends now. An unknown object stays as it was.
    """
    found: dict[Address, Sightings] = {}
    for item in objects:
        record = records.get(item.address)
        if record is None or item.status in {"unknown", "unmanaged"}:
            continue
        before = known.get(item.address, {})
        present = {change.path: (brief(change.before), brief(change.after)) for change in item.fields}
        if not present and item.status != "in_sync":
            present = {WHOLE: (None, item.status)}
        found[item.address] = _merged(before, present, record.written_by, moment)
    return found


def repaired(known: Known, changes: Iterable[Change], moment: str) -> Known:
    """Return the sightings of objects whose change was applied at `moment`: what came from outside ends.

    What no drift check had seen is kept as well, for this one moment.
    """
    found: dict[Address, Sightings] = {}
    for change in changes:
        before = known.get(change.address, {})
        run_id = change.record.written_by if change.record is not None else None
        seen = {
            item.path: (brief(item.after), brief(item.before))
            for item in change.fields
            if item.origin == "drift" and change.action == "update"
        }
        if before or seen:
            found[change.address] = _merged(_merged(before, seen, run_id, moment), {}, run_id, moment)
    return found


def _merged(
    before: Sightings, present: Mapping[str, tuple[Any, Any]], run_id: str | None, moment: str
) -> dict[str, tuple[Sighting, ...]]:
    merged: dict[str, tuple[Sighting, ...]] = {}
    for path in sorted(before.keys() | present.keys()):
        items = before.get(path, ())
        is_open = bool(items) and items[-1].is_open
        if path in present:
            applied, live = present[path]
            if is_open:
                items = (*items[:-1], replace(items[-1], applied=applied, live=live))
            else:
                items = (*items, Sighting(since=moment, applied=applied, live=live, run_id=run_id))
        elif is_open:
            items = (*items[:-1], replace(items[-1], until=moment))
        merged[path] = items[-KEPT:]
    latest = sorted(merged, key=lambda path: (not merged[path][-1].is_open, path))
    return {path: merged[path] for path in sorted(latest[:PATHS])}


def fight(items: tuple[Sighting, ...]) -> Fight | None:
    """Return the fight that the sightings of one field show: it was changed outside again after it was applied again.

    A change that someone outside took back is none: no run wrote the object in between.
    """
    if not items or not items[-1].is_open:
        return None
    streak = [items[-1]]
    for earlier in reversed(items[:-1]):
        if earlier.run_id != streak[0].run_id:
            streak.insert(0, earlier)
    if len(streak) == 1:
        return None
    return Fight(changes=2 * len(streak) - 1, since=streak[0].since, applied=items[-1].applied, live=items[-1].live)


def dated(item: Drifted, sightings: Sightings) -> Drifted:
    """Return an object with when each change was first seen, and with its fights."""
    fields = tuple(_dated(change, sightings.get(change.path, ())) for change in item.fields)
    counted = [change.since for change in fields if change.ignored is None]
    whole = sightings.get(WHOLE, ())
    if not fields and item.status != "in_sync" and whole and whole[-1].is_open:
        counted = [whole[-1].since]
    return replace(item, fields=fields, since=min((since for since in counted if since is not None), default=None))


def _dated(change: DriftedField, items: tuple[Sighting, ...]) -> DriftedField:
    if not items or not items[-1].is_open:
        return change
    return replace(change, since=items[-1].since, fight=fight(items))
