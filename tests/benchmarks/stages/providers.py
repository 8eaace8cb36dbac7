"""Answers of n objects, and objects of n parts, decoded and encoded."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from reconciler.model.objects import Scope
from reconciler.providers.bookingbug_admin import answers as admin
from reconciler.providers.bookingbug_admin.blocks import read_blocks
from reconciler.providers.bookingbug_admin.paging import collect
from reconciler.providers.bookingbug_admin.reader import Listing, One
from reconciler.providers.bookingbug_admin.resources import read_resources
from reconciler.providers.bookingbug_sessions import wire
from reconciler.providers.checkfront import answers as checkfront
from reconciler.providers.checkfront.lines import assign
from reconciler.redaction import Redactor

Run = Callable[[], object]


def _list(size: int, name: str = "Class") -> bytes:
    rows = "".join(f'<session id="{n}"><name>{name} {n}</name><group>Gym</group></session>' for n in range(size))
    return f"<sessions>{rows}</sessions>".encode()


def _session(size: int) -> bytes:
    slots = "".join(f'<slot id="{n}"><date>2027-03-01</date><time>10:00</time></slot>' for n in range(size))
    return f'<session id="1"><name>Class</name><slots>{slots}</slots></session>'.encode()


def _slots(size: int) -> dict:
    return {"name": "Class", "slots": [{"date": "2027-03-01", "time": "10:00", "duration": 60}] * size}


def _page(size: int, first: int = 0, total: int | None = None) -> bytes:
    rows = [{"id": first + n, "name": f"Room {first + n}"} for n in range(size)]
    return json.dumps({"total_entries": total or size, "_embedded": {"resources": rows}}).encode()


def _pages(size: int) -> Run:
    bodies = {n: _page(10, 10 * n, size) for n in range(size // 10)}
    return lambda: collect(
        lambda number: admin.decode_page(bodies[number - 1], "resources"),
        lambda get, numbers: list(map(get, numbers)),
        8,
    )


def _lines(size: int) -> bytes:
    day = {"start_date": "2031-07-01", "end_date": "2031-07-01"}
    items = {
        str(n): {"id": n, "item_id": 21, "slip": f"21.20310701X1-qty.{n + 1}", "qty": 1, **day} for n in range(size)
    }
    return json.dumps({"booking": {"session": {"id": "abc", "item": items}}}).encode()


def _assigned(size: int) -> Run:
    lines = [{"slip": f"s{n}", "options": {}, "line": str(n)} for n in range(size)]
    slips = {f"k{n:06}": f"s{size - n - 1}" for n in range(size)}
    return partial(assign, lines, slips, {})


class _Reader:
    """A list, those of its rows that have an owner, and one address."""

    public = False

    def __init__(self, rows: dict[str, dict]) -> None:
        self._rows = rows

    def collection(self, _: str, params: Mapping[str, str], **__: object) -> Listing:
        owner = params.get("resource_id")
        return Listing(rows=self._rows if owner is None else {owner: self._rows[owner]})

    def missing(self, *_: object) -> dict:
        return {}

    def each(self, paths: Iterable[str]) -> dict[str, One]:
        return {path: One(data={"id": 7, "address1": "1 High St"}) for path in set(paths)}

    def local_path(self, url: str) -> str:
        return url

    def path(self, *parts: str) -> str:
        return f"/api/v1/admin/37004/{'/'.join(parts)}"


def _resources(size: int) -> Run:
    """Return n managed resources of one address and as many new ones."""
    rows = {str(n): {"id": n, "name": f"Room {n}", "address_id": 7} for n in range(size)}
    stated = {"address": {"address1": "1 High St"}}
    scope = Scope(
        kind="Resource",
        ids={str(n): {"name": f"Room {n}", **(stated if n % 2 else {})} for n in range(size)},
        wanted=tuple({"name": f"New {n}", **stated} for n in range(size)),
    )
    return partial(read_resources, _Reader(rows), scope)


def _ownerless(size: int) -> Run:
    """Return n blocks of one time that name no resource, and as many new ones of n resources at that time."""
    times = {"datetime": "2027-03-01T09:00:00Z", "end_datetime": "2027-03-01T10:00:00Z"}
    rows = {str(n): {"id": n, "status": 3, **times} for n in range(size)}
    wanted = {"start": times["datetime"], "end": times["end_datetime"]}
    scope = Scope(kind="Block", wanted=tuple({**wanted, "resource_id": str(n)} for n in range(size)))
    return partial(read_blocks, _Reader(rows), scope)


def _hidden(size: int) -> Run:
    """Return what remembers the ids of n held bookings, which are secrets."""
    ids = [f"held-{n:032x}" for n in range(size)]

    def run() -> None:
        redactor = Redactor()
        for each in ids:
            redactor.hide(each)

    return run


def _masked(size: int) -> Run:
    """Return what masks n ids of held bookings in n texts, some of them with an id or an escape."""
    redactor = Redactor()
    for number in range(size):
        redactor.hide(f"held-{number:032x}")
    texts = [f"Booking {n} of Court {n} at 10:00 says held-{n:032x}" + "%20" * (n % 2) for n in range(size)]
    return lambda: [redactor.redacted(text) for text in (*texts, ", ".join(texts))]


STAGES: dict[str, Callable[[int], Run]] = {
    "list of n sessions": lambda n: partial(wire.decode_list, _list(20 * n)),
    "list of n sessions with an unescaped &": lambda n: partial(wire.decode_list, _list(20 * n, "A & B")),
    "list of n sessions with a wrong tag": lambda n: partial(
        wire.decode_list, _list(20 * n).replace(b"Class 3<", b"Class <b>3<")
    ),
    "session of n slots": lambda n: partial(wire.decode_session, _session(10 * n)),
    "encoded session of n slots": lambda n: partial(wire.encode_session, _slots(10 * n)),
    "page of n resources": lambda n: partial(admin.decode_page, _page(20 * n), "resources"),
    "n pages of resources": _pages,
    "resources of one address": _resources,
    "n blocks without owners at one time": _ownerless,
    "ids of n held bookings remembered": _hidden,
    "ids of n held bookings masked in n texts": _masked,
    "booking of n lines": lambda n: lambda: checkfront.session(checkfront.decode(_lines(n)), {}),
    "lines of n items": _assigned,
}
