"""Reading blocks: the slots of one window, and single ones that are not in it (notes §3.4, §3.5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from reconciler.model.objects import Live, Reading
from reconciler.providers import bookingbug_admin_answers as answers
from reconciler.providers.bookingbug_admin_reader import Findings, Listing, Reader, settle

if TYPE_CHECKING:
    from reconciler.model.objects import Fields, Scope

PAGE_SIZE = "100"
"""What the documentation says for slots (notes §3.2); the server may give less."""

_NO_PUBLIC = "blocks cannot be read with public access; expected a connection with access: admin"
_KEY = ("resource_id", "start", "end")


def read_blocks(reader: Reader, scope: Scope) -> Reading:
    """Read the blocks in scope from one window of slots; also those a wanted block would double."""
    if reader.public:
        return Reading(unreadable=dict.fromkeys(scope.ids, _NO_PUBLIC), failure=_NO_PUBLIC)
    findings = Findings()
    listing = _window(reader, scope) if scope.listing else Listing()
    rows = listing.rows or {}
    found = dict(reader.missing("slots", scope.ids.keys() - rows.keys(), listing, findings))
    found.update({remote_id: rows[remote_id] for remote_id in scope.ids if remote_id in rows})
    for remote_id in sorted(found):
        settle(findings, remote_id, found[remote_id], _block)
    blocked = {remote_id: row for remote_id, row in rows.items() if _is_block(row)}
    others = (row for remote_id, row in blocked.items() if remote_id not in found)
    findings.live.update(_twins(others, scope.wanted))
    return findings.reading(None if listing.rows is None else blocked, listing.failure)


def _window(reader: Reader, scope: Scope) -> Listing:
    """List the slots of every day that a block in scope touches; no block with times, no request."""
    window = answers.block_window([*scope.ids.values(), *scope.wanted])
    if window is None:
        return Listing(rows={})
    days = {"start_date": window[0].isoformat(), "end_date": window[1].isoformat()}
    return reader.collection("slots", {**days, "per_page": PAGE_SIZE})


def _block(data: Mapping[str, Any]) -> Live | None:
    """Return a slot as the block it is, None where its time is free again; ValueError: it is something else."""
    if answers.is_event(data):
        message = f"slot {answers.remote_id(data)} is an occurrence of an event, not a block"
        raise ValueError(message)
    status = answers.slot_status(data)
    if status == answers.BLOCKED:
        return answers.decode_block(data)
    if status in answers.FREED:
        return None
    said = answers.STATUSES[status] if 0 <= status < len(answers.STATUSES) else "unknown"
    message = f"slot {answers.remote_id(data)} has status {status} ({said}); expected {answers.BLOCKED} (blocked)"
    raise ValueError(message)


def _is_block(data: Mapping[str, Any]) -> bool:
    try:
        return answers.slot_status(data) == answers.BLOCKED and not answers.is_event(data)
    except ValueError:
        return False


def _twins(rows: Iterable[Mapping[str, Any]], wanted: Iterable[Fields]) -> dict[str, Live]:
    """Return the blocks with a wanted one's resource and times; one whose times are unusable is none."""
    keys = [tuple(fields.get(key) for key in _KEY) for fields in wanted]
    twins: dict[str, Live] = {}
    for row in rows if keys else ():
        try:
            live = answers.decode_block(row)
        except ValueError:
            continue
        if tuple(live.fields.get(key) for key in _KEY) in keys:
            twins[live.remote_id] = live
    return twins
