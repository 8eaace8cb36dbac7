"""Block: a time span in which a resource cannot be booked; on the wire a slot of status 3 (seed 002)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from reconciler import local_times, zones
from reconciler.model import days, moments
from reconciler.model.bookings import BookingQuery, Window
from reconciler.model.canonical import utc, whole
from reconciler.model.change import EDITING, Decision
from reconciler.model.field import at_field
from reconciler.model.kind import IdentityKey, Kind, Reference, Span, described
from reconciler.model.objects import Fields, Manifest, Problem

CALLED = {"start_time": "start", "end_time": "end"}
"""What the API takes the fields as (seed 002)."""

_TIMES = ("resource_id", "start", "end")


def canonical(spec: Mapping[str, Any]) -> Fields:
    """Return a block's spec in canonical values: instants in UTC, for every zone and offset in a manifest."""
    zone = spec.get("timezone")
    instants = [name for name in ("start", "end") if name in spec]
    fields: dict[str, Any] = {}
    if zone is not None and any(_is_local(spec[name]) for name in instants):
        with at_field("timezone"):
            zones.zone(zone)
    for name in instants:
        with at_field(name):
            fields[name] = utc(moment(spec[name], zone))
    if "resource_id" in spec:
        with at_field("resource_id"):
            fields["resource_id"] = str(whole(spec["resource_id"]))
    return fields


def moment(text: str, zone_name: str | None) -> datetime:
    """Return an aware date-time; ValueError for a local time that its zone skips, repeats, or has no zone for.

    A written offset always wins: it distinguishes the two times of a repeated hour.
    """
    value = moments.moment(text)
    if value.tzinfo is not None:
        return value
    if zone_name is None:
        message = f'"{text}" has no offset and there is no timezone; add timezone: Europe/London or write the offset'
        raise ValueError(message)
    return zones.in_zone(value, zones.zone(zone_name), text)


def zone(spec: Mapping[str, Any]) -> str | None:
    """Return the zone that a block is written in, or else the offset of its start; None for UTC."""
    if "timezone" in spec:
        return str(spec["timezone"])
    written = moment(spec["start"], None)
    return written.isoformat()[-6:] if written.utcoffset() else None


def _is_local(text: str) -> bool:
    try:
        return moments.moment(text).tzinfo is None
    except ValueError:
        return False


def check(manifest: Manifest) -> Iterator[Problem]:
    """Check both ends and their order; every local time is checked against its zone's clock changes."""
    zone = manifest.spec.get("timezone")
    moments = {}
    if zone is not None:
        try:
            zones.zone(zone)
        except ValueError as error:
            yield manifest.problem("unknown-timezone", str(error), "timezone")
            return
    for name in ("start", "end"):
        if name not in manifest.spec or (zone is None and _is_local(manifest.spec[name])):
            continue  # reported by the schema
        try:
            moments[name] = moment(manifest.spec[name], zone)
        except ValueError as error:
            yield manifest.problem("bad-local-time", f"{name} {error}", name)
    if len(moments) == 2 and moments["end"] <= moments["start"]:  # noqa: PLR2004 - both ends are known
        summary = f"end {manifest.spec['end']} is not after start {manifest.spec['start']}; expected a later time"
        yield manifest.problem("end-before-start", summary, "end")


def check_together(manifests: Sequence[Manifest]) -> Iterator[Problem]:
    """Warn about overlapping blocks of one resource, and about zones without summer time: usually a mistake."""
    by_resource: dict[str, list[tuple[str, str, Manifest]]] = defaultdict(list)
    for manifest in manifests:
        yield from _zone_without_summer(manifest)
        try:
            fields = manifest.canonical(canonical)
        except ValueError:
            continue  # reported by `check`
        resource = str(manifest.spec.get("resource") or fields.get("resource_id"))
        by_resource[resource].append((fields["start"], fields["end"], manifest))
    for resource in sorted(by_resource):
        yield from _overlaps(
            resource, sorted(by_resource[resource], key=lambda item: (item[0], item[1], item[2].address))
        )


def _zone_without_summer(manifest: Manifest) -> Iterator[Problem]:
    name = manifest.spec.get("timezone")
    changing = zones.changing(name) if isinstance(name, str) else None
    if changing is not None:
        yield Problem(
            code="fixed-timezone",
            severity="warning",
            summary=f'timezone {name} has no summer time; did you mean "{changing}"?',
            where=manifest.where("timezone"),
            address=manifest.address,
        )


def _overlaps(resource: str, blocks: list[tuple[str, str, Manifest]]) -> Iterator[Problem]:
    latest_end, latest = "", None
    for start, end, manifest in blocks:
        if latest is not None and start < latest_end:
            until = local_times.shown(latest_end, zone(manifest.spec))
            yield Problem(
                code="overlapping-blocks",
                severity="warning",
                summary=f"overlaps {latest.address} on resource {resource} until {until}; expected no overlap",
                where=manifest.where("start"),
                address=manifest.address,
            )
        if end > latest_end:
            latest_end, latest = end, manifest


def identities(fields: Fields) -> tuple[IdentityKey, ...]:
    """Return resource and instants: a block has no name or reference on the wire (API notes §7.4)."""
    parts = tuple(fields.get(name) for name in ("resource_id", "start", "end"))
    return (tuple(str(part) for part in parts),) if all(isinstance(part, str) for part in parts) else ()


def describe(fields: Fields) -> str:
    """Return resource and instants."""
    return described(fields, "resource_id", "start", "end")


def timing(fields: Fields, names: Mapping[str, str], zone: str | None) -> str | None:
    """Return `Studio 1, Mon 1 Mar 2027, 09:00–17:00`."""
    taken = span(fields)
    owner = names.get("resource_id") or (f"resource {fields['resource_id']}" if "resource_id" in fields else None)
    parts = [owner, local_times.shown_span(*taken, zone) if taken is not None else None]
    return ", ".join(part for part in parts if part) or None


def span(fields: Fields) -> Span | None:
    """Return both instants; None where one of them is not known."""
    start, end = fields.get("start"), fields.get("end")
    return (start, end) if isinstance(start, str) and isinstance(end, str) else None


def over(fields: Fields, day: str) -> str | None:
    """Say that a block ends before a day."""
    end = fields.get("end")
    return f"ends on {days.shown_text(end[:10])}" if isinstance(end, str) and end[:10] < day else None


def booking_query(change: Decision, _now: str) -> BookingQuery | None:
    """Query the bookings in the time that a block newly takes; the time that it took before changes nothing."""
    if change.desired is None or change.idle or change.action == "delete":
        return None
    if change.action in EDITING and not change.edits:
        return None
    new = change.creates or change.live is None
    before = {**(change.record.fields if change.record else {}), **(change.live.fields if change.live else {})}
    wanted = {**before, **change.desired.fields}
    if not all(isinstance(wanted.get(name), str) for name in _TIMES):
        return None  # its resource does not exist yet, so it has no bookings
    owner, start, end = (wanted[name] for name in _TIMES)
    spans = [(start, end)] if new else _newly_taken(before, wanted)
    return BookingQuery(
        code="booked-time-blocked",
        what="blocking the time" if new else "moving the block",
        connection=change.connection,
        windows=tuple(Window(resource_id=owner, start=first, end=last) for first, last in spans),
    )


def _newly_taken(before: Fields, wanted: Fields) -> list[tuple[str, str]]:
    """Return the spans of the wanted time that the block did not cover before."""
    start, end = wanted["start"], wanted["end"]
    if any(not isinstance(before.get(name), str) for name in _TIMES) or before["resource_id"] != wanted["resource_id"]:
        return [(start, end)]
    spans = [(start, min(end, before["start"])), (max(start, before["end"]), end)]
    return [(first, last) for first, last in spans if first < last]


KIND = Kind(
    name="Block",
    provider="bookingbug-admin",
    schema="block",
    called=CALLED,
    timing=timing,
    describe=describe,
    span=span,
    canonical=canonical,
    identities=identities,
    recognised_by=_TIMES,
    references=(Reference(spec_field="resource", field="resource_id", kind="Resource"),),
    listed_whole=False,
    over=over,
    local=frozenset({"timezone"}),
    booking_query=booking_query,
    zone=zone,
    check=check,
    check_together=check_together,
)
