"""Reading blocks: the slots of one window, and single ones that are not in it (notes §3.4, §3.5)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from reconciler.model.objects import Fields, Live, Reading
from reconciler.providers.bookingbug_admin import answers, block_wire
from reconciler.providers.bookingbug_admin.paging import Rows
from reconciler.providers.bookingbug_admin.reader import Findings, Listing, Reader

if TYPE_CHECKING:
    from reconciler.model.objects import Scope

PAGE_SIZE = "100"
"""The documented page size for slots (notes §3.2); the server may give less."""

_Spans = Mapping[tuple[date, date], Sequence[Fields]]
"""Spans of days that are listed together, each with its blocks."""

_NO_PUBLIC = "blocks cannot be read with public access; expected a connection with access: admin"


def read_blocks(reader: Reader, scope: Scope) -> Reading:
    """Read the blocks in scope from one window of slots; also those with the resource and times of a wanted one."""
    if reader.public:
        return Reading(unreadable=dict.fromkeys(scope.ids, _NO_PUBLIC), failure=_NO_PUBLIC)
    findings = Findings()
    spans = _spans(scope)
    listing = _window(reader, scope, spans) if scope.listing else Listing()
    rows = listing.rows or {}
    apart = {key for key, fields in scope.ids.items() if block_wire.span(fields) in listing.gaps}
    found: dict[str, Mapping[str, Any]] = {}
    for ids, known in ((scope.ids.keys() - apart, listing), (apart, Listing(failure="a part of it failed"))):
        found |= reader.missing("slots", ids - rows.keys(), known, findings)
    found.update({remote_id: rows[remote_id] for remote_id in scope.ids if remote_id in rows})
    for remote_id in sorted(found):
        findings.add(remote_id, found[remote_id], _block)
        _confirm_owner(findings, remote_id, found[remote_id], scope.ids[remote_id])
    blocked = {remote_id: row for remote_id, row in rows.items() if _is_block(row)}
    done = found.keys() | scope.already_read
    others = {remote_id: row for remote_id, row in blocked.items() if remote_id not in done}
    if scope.whole:
        for remote_id in sorted(others):
            findings.add(remote_id, others[remote_id], _block)
        _find_owners(reader, scope, spans, others, findings)
    else:
        _look_alikes(reader, scope, spans, scope.wanted, others.values(), findings)
        settled = scope.familiar | findings.live.keys() | findings.unreadable.keys()
        new = (row for remote_id, row in others.items() if remote_id not in settled)
        _look_alikes(reader, scope, spans, scope.similar, new, findings, judged=True)
    return findings.reading(None if listing.rows is None else blocked, listing.failure, listing.gaps)


def _confirm_owner(findings: Findings, remote_id: str, data: Mapping[str, Any], known: Fields) -> None:
    """Take a hint at a block's resource as an answer where it names the known resource."""
    live = findings.live.get(remote_id)
    if live is None or "resource_id" in live.fields or known.get("resource_id") is None:
        return
    if block_wire.hinted_owner(data) == known["resource_id"]:
        fields = {**live.fields, "resource_id": known["resource_id"]}
        findings.live[remote_id] = replace(live, fields=fields)


def _spans(scope: Scope) -> _Spans:
    """Return the days that every block in scope touches, each with its blocks.

    Days far apart are listed apart, so that a day which the server refuses hides only the blocks of that time.
    """
    whole = {} if scope.window is None else dict(zip(("start", "end"), scope.window, strict=True))
    return block_wire.windows([*scope.ids.values(), *scope.wanted], whole)


def _window(reader: Reader, scope: Scope, found: _Spans, **filters: str) -> Listing:
    """List the slots of some days; no day, no request."""
    rows: Rows = {}
    gaps: dict[tuple[str, str], str] = {}
    for (first, last), blocks in found.items():
        days = {"start_date": first.isoformat(), "end_date": last.isoformat()}
        listing = reader.collection("slots", {**days, **filters, "per_page": PAGE_SIZE}, once=not scope.searches)
        if len(found) == 1:
            return listing
        rows |= listing.rows or {}
        why = f"{listing.failure} (slots from {first} to {last})"
        gaps |= {span: why for fields in blocks if listing.rows is None and (span := block_wire.span(fields))}
    return Listing(rows=rows, gaps=gaps)


def _block(data: Mapping[str, Any]) -> Live | None:
    """Return a slot as the block it is, None where its time is free; ValueError where it is something else."""
    if block_wire.is_event(data):
        message = f"slot {answers.remote_id(data)} is an occurrence of an event, not a block"
        raise ValueError(message)
    status = block_wire.slot_status(data)
    if status == block_wire.BLOCKED:
        return block_wire.decode_block(data)
    if status in block_wire.FREED:
        return None
    said = block_wire.STATUSES[status] if 0 <= status < len(block_wire.STATUSES) else "unknown"
    message = f"slot {answers.remote_id(data)} has status {status} ({said}); expected {block_wire.BLOCKED} (blocked)"
    raise ValueError(message)


def _is_block(data: Mapping[str, Any]) -> bool:
    try:
        return block_wire.slot_status(data) == block_wire.BLOCKED and not block_wire.is_event(data)
    except ValueError:
        return False


def _look_alikes(
    reader: Reader,
    scope: Scope,
    spans: _Spans,
    wanted_ones: Iterable[Fields],
    rows: Iterable[Mapping[str, Any]],
    findings: Findings,
    *,
    judged: bool = False,
) -> None:
    """Find the blocks with a wanted one's resource and times; one whose times cannot be read does not count.

    A row without an owner may belong to a resource or to a person: the list of that resource decides. `judged`: what
    is not known of such a row stops no other object.
    """
    owners: dict[tuple[Any, Any], set[str]] = {}
    lists = _Lists(lambda owner: _window(reader, scope, spans, resource_id=owner), spans)
    for fields in wanted_ones:
        if isinstance(fields.get("resource_id"), str):
            owners.setdefault((fields.get("start"), fields.get("end")), set()).add(fields["resource_id"])
    for row in rows if owners else ():
        try:
            live = block_wire.decode_block(row)
        except ValueError:
            continue
        wanted = owners.get((live.fields["start"], live.fields["end"]), set())
        if live.fields.get("resource_id") in wanted:
            findings.live[live.remote_id] = live
        elif wanted and "resource_id" not in live.fields:
            _settle_owner(live, lists.among(wanted), findings)
            if judged and live.remote_id in findings.unreadable:
                findings.unjudged[live.remote_id] = findings.unreadable.pop(live.remote_id)


def _find_owners(
    reader: Reader, scope: Scope, spans: _Spans, rows: Mapping[str, Mapping[str, Any]], findings: Findings
) -> None:
    """Find the owners of rows that only hint at one, in the list of each hinted resource."""
    hints: dict[str, list[Live]] = {}
    for remote_id, row in sorted(rows.items()):
        live = findings.live.get(remote_id)
        if live is None or "resource_id" in live.fields:
            continue
        hint = block_wire.hinted_owner(row)
        if hint is None:
            findings.unreadable[remote_id] = f"slot {remote_id} has no resource"
            del findings.live[remote_id]
        else:
            hints.setdefault(hint, []).append(findings.live.pop(remote_id))
    lists = _Lists(lambda owner: _window(reader, scope, spans, resource_id=owner), spans)
    for owner in sorted(hints):
        known = lists.among({owner})
        for live in hints[owner]:
            _settle_owner(live, known, findings)
            if live.remote_id not in findings.live:
                words = f"slot {live.remote_id} has no resource, and the list of resource {owner} does not contain it"
                findings.unreadable.setdefault(live.remote_id, words)


class _Owned(Struct, frozen=True):
    """What the lists of some resources contain."""

    owners: Collection[str]
    holders: Mapping[str, Sequence[str]]
    """By id, the resources whose lists contain it, also other ones."""
    failed: tuple[str, str | None] | None
    """The last one whose list failed, and why."""
    gaps: Mapping[tuple[date, date], tuple[str, str]]
    """By days, the last one whose list failed for these, and why."""

    def failure(self, live: Live) -> tuple[str, str | None] | None:
        """Return whose list may contain a block and failed, and why."""
        start, end = (live.fields[name][:10] for name in ("start", "end"))
        gaps = (why for days, why in self.gaps.items() if start <= str(days[1]) and str(days[0]) <= end)
        return self.failed or next(gaps, None)


class _Lists:
    """The lists of resources, each read once: thousands of rows may be looked up in those of thousands."""

    def __init__(self, read: Callable[[str], Listing], spans: _Spans) -> None:
        self._read, self._spans = read, spans
        self._failures: dict[str, str | None] = {}
        self._gaps: dict[str, dict[tuple[date, date], str]] = {}
        self._holders: dict[str, list[str]] = {}
        self._done: set[str] = set()
        self._among: dict[int, _Owned] = {}

    def among(self, owners: Collection[str]) -> _Owned:
        """Return what the lists of some resources contain; the same collection is asked for again and again."""
        known = self._among.get(id(owners))
        if known is None or known.owners is not owners:
            for owner in sorted(each for each in owners if each not in self._done):
                self._done.add(owner)
                listing = self._read(owner)
                if listing.rows is None:
                    self._failures[owner] = listing.failure
                elif listing.gaps:
                    self._gaps[owner] = dict(self._missing(listing))
                for remote_id in listing.rows or ():
                    self._holders.setdefault(remote_id, []).append(owner)
            last = max((each for each in owners if each in self._failures), default=None)
            failed = None if last is None else (last, self._failures[last])
            parts = ((owner, self._gaps[owner].items()) for owner in sorted(self._gaps.keys() & owners))
            gaps = {days: (owner, why) for owner, missing in parts for days, why in missing}
            known = self._among[id(owners)] = _Owned(owners, self._holders, failed, gaps)
        return known

    def _missing(self, listing: Listing) -> Iterator[tuple[tuple[date, date], str]]:
        """Yield the days that a list does not contain, and why."""
        for days, blocks in self._spans.items():
            whys = (listing.gaps.get(span) for fields in blocks if (span := block_wire.span(fields)) is not None)
            yield from ((days, why) for why in list(filter(None, whys))[:1])


def _settle_owner(live: Live, lists: _Owned, findings: Findings) -> None:
    owner = min((each for each in lists.holders.get(live.remote_id, ()) if each in lists.owners), default=None)
    if owner is not None:
        findings.live[live.remote_id] = replace(live, fields={**live.fields, "resource_id": owner})
    elif (failed := lists.failure(live)) is not None:
        why = f"has no resource, and the list of resource {failed[0]} failed: {failed[1]}"
        findings.unreadable[live.remote_id] = f"slot {live.remote_id} {why}"
