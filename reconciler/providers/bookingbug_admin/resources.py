"""Reading resources: the list, single ones that it does not name, and the addresses that are declared."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from reconciler.model import canonical
from reconciler.model.objects import Users
from reconciler.providers.answer import is_identifier, neutral
from reconciler.providers.bookingbug_admin import answers, resource_wire
from reconciler.providers.bookingbug_admin.reader import Findings, Listing, Reader

if TYPE_CHECKING:
    from reconciler.model.objects import Fields, Live, Reading, Scope

PAGE_SIZE = "300"
"""The documented page size for resources (seed 002); the server may give less."""

_ADDRESS = re.compile(r"/api/v1/(?:admin/)?[0-9]+/addresses/[0-9]+")
_KEYS = ("name", "api_ref")
_SHOWN = 60


def read_resources(reader: Reader, scope: Scope) -> Reading:
    """Read the resources in scope; also every listed one with the name or api_ref of a wanted one."""
    findings = Findings()
    listing = Listing()
    if scope.listing:
        listing = reader.collection("resources", {"per_page": PAGE_SIZE}, once=not scope.searches)
    rows = listing.rows or {}
    found = dict(reader.missing("resources", scope.ids.keys() - rows.keys(), listing, findings))
    found.update({remote_id: rows[remote_id] for remote_id in scope.ids if remote_id in rows})
    taken = tuple({"api_ref": fields["api_ref"]} for fields in scope.ids.values() if fields.get("api_ref"))
    new = {remote_id: row for remote_id, row in rows.items() if remote_id not in scope.already_read}
    found.update(_present(new) if scope.whole else _look_alikes(new, (*scope.wanted, *taken)))
    for remote_id in sorted(found):
        findings.add(remote_id, found[remote_id], _resource)
    others = _look_alikes(new, scope.similar) if scope.similar else {}
    for remote_id in sorted(others.keys() - found.keys() - scope.familiar):
        findings.judge(remote_id, others[remote_id], _resource)
    _add_addresses(reader, scope, findings, found)
    if scope.listing:
        _add_users(reader, findings, found, listing)
    listed = None if listing.rows is None else list(_present(rows))
    return findings.reading(listed, listing.failure)


def _resource(data: Mapping[str, Any]) -> Live | None:
    return None if resource_wire.is_deleted(data) else resource_wire.decode_resource(data)


def _look_alikes(rows: Mapping[str, Mapping[str, Any]], wanted: Iterable[Fields]) -> dict[str, Mapping[str, Any]]:
    known = {(key, str(fields[key])) for fields in wanted for key in _KEYS if fields.get(key)}
    return {remote_id: row for remote_id, row in _present(rows).items() if _names(row) & known}


def _present(rows: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {remote_id: row for remote_id, row in rows.items() if not _deleted(row)}


def _names(row: Mapping[str, Any]) -> set[tuple[str, str]]:
    # The raw values on purpose: an object counts even where its other fields cannot be understood.
    names = {("name", canonical.text(row.get("name")))}
    return names | {
        ("api_ref", canonical.text(row[key])) for key in ("api_ref", "reference") if row.get(key) is not None
    }


def _deleted(row: Mapping[str, Any]) -> bool:
    try:
        return resource_wire.is_deleted(row)
    except ValueError:  # not understood: it counts as existing
        return False


def _add_addresses(reader: Reader, scope: Scope, findings: Findings, found: Mapping[str, Mapping[str, Any]]) -> None:
    """Add `address` to the resources that declare one; the answers have only a link and an id (notes §3.3)."""
    paths: dict[str, str] = {}
    stated = [fields for fields in scope.wanted if "address" in fields]
    wanted = {(key, fields[key]) for fields in stated for key in _KEYS if fields.get(key)}
    for remote_id, live in findings.live.items():
        if _declares_address(scope, live, wanted) and (path := _address_path(reader, found[remote_id])) is not None:
            paths[remote_id] = path
    if scope.whole:  # an address that several resources share belongs to none of them: its id identifies it
        times = Counter(paths.values())
        paths = {remote_id: path for remote_id, path in paths.items() if times[path] == 1}
    ones = reader.each(paths.values())
    for remote_id, path in paths.items():
        one = ones[path]
        if one.failure is not None:
            findings.unreadable[remote_id] = f"its address could not be read: {one.failure}"
            del findings.live[remote_id]
        elif one.data is not None:  # a deleted address is not returned
            add = functools.partial(_with_address, findings.live.pop(remote_id))
            findings.add(remote_id, one.data, add)


def _add_users(reader: Reader, findings: Findings, found: Mapping[str, Mapping[str, Any]], listing: Listing) -> None:
    """Add to each address who uses it: an update of one resource changes it for all of them."""
    users: dict[str, dict[str, str]] = {}
    with_address = {remote_id: live for remote_id, live in findings.live.items() if "address" in live.fields}
    for remote_id, row in _present(listing.rows or {}).items() if with_address else ():
        if (path := _address_path(reader, row)) is not None:
            users.setdefault(path.rpartition("/")[2], {})[remote_id] = neutral(str(row.get("name")), _SHOWN)
    for remote_id, live in with_address.items():
        number = (_address_path(reader, found[remote_id]) or "").rpartition("/")[2]
        names = users.get(number, {})
        if len(names) > (remote_id in names) or listing.failure is not None:
            shared = {"address": Users(names=names, failure=listing.failure)}
            findings.live[remote_id] = replace(live, shared=shared)


def _with_address(live: Live, data: Mapping[str, Any]) -> Live:
    return replace(live, fields={**live.fields, "address": resource_wire.decode_address(data)})


def _declares_address(scope: Scope, live: Live, wanted: Collection[tuple[str, str]]) -> bool:
    declared = scope.whole or "address" in scope.ids.get(live.remote_id, {})
    return declared or any((key, live.fields.get(key)) in wanted for key in _KEYS)


def _address_path(reader: Reader, data: Mapping[str, Any]) -> str | None:
    """Return where a resource's address is: its link into this system, else its `address_id`."""
    path = reader.local_path(answers.link(data, "address") or "")
    if path is not None and _ADDRESS.fullmatch(path):
        return path
    number = str(data.get("address_id"))
    return reader.path("addresses", number) if is_identifier(number) else None
