"""Direct access to booking sessions: change and read them without an API call, as another client would.

KeyError means an unknown session, line or item. ValueError means a wrong field or value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from reconciler.sandbox.checkfront import dates, holds, orders, slips, stock
from reconciler.sandbox.checkfront.inventory import ITEMS
from reconciler.sandbox.checkfront.orders import Order
from reconciler.sandbox.company import Company
from reconciler.sandbox.database import Row
from reconciler.sandbox.options import Options
from reconciler.sandbox.tables import HOLD

_FIELDS = frozenset({"slip", "start_date", "end_date", "start_time", "end_time", "params", "discount_code", "options"})


def booking_sessions(company: Company) -> list[Row]:
    """Return every session that was not ended, including expired ones, with its lines."""
    with company.db.transaction():
        return [
            {
                "id": hold["session_id"],
                "used_at": holds.last_use(hold),
                "expired": holds.has_expired(company, hold),
                "lines": [_shown(line) for line in holds.lines(company, hold)],
            }
            for hold in company.db.find(HOLD)
        ]


def _shown(line: Row) -> Row:
    order = holds.order_of(line)
    return {
        "line_id": str(line["number"]),
        "item_id": order.item_id,
        "sku": order.item.sku,
        "slip": line["slip"],
        "start_date": order.start.isoformat(),
        "end_date": order.last.isoformat(),
        "start_time": order.start_time,
        "end_time": order.end_time,
        "params": dict(order.params),
        "quantity": order.quantity,
        "discount_code": order.discount_code,
        "options": line["options"],
    }


def add(company: Company, slip_texts: Iterable[str]) -> str:
    """Start a session with these slips, without checking stock; return its id."""
    with company.db.transaction():
        hold = holds.create(company)
        for text in slip_texts:
            order = slips.read(text, Options())
            holds.add_line(company, hold, order, slips.write(order, company.options))
    return str(hold["session_id"])


def expire(company: Company, session_id: str) -> None:
    """Expire one session."""
    with company.db.transaction():
        holds.expire(company, _hold(company, session_id))


def expire_all(company: Company) -> None:
    """Expire every session."""
    with company.db.transaction():
        for hold in company.db.find(HOLD):
            holds.expire(company, hold)


def end(company: Company, session_id: str) -> None:
    """Remove a session with its lines."""
    with company.db.transaction():
        holds.end(company, _hold(company, session_id))


def remove_line(company: Company, session_id: str, line_id: str | int) -> None:
    """Remove a line. `line_renumber` decides what happens to the other numbers."""
    with company.db.transaction():
        hold = _hold(company, session_id)
        holds.remove_lines(company, hold, {_line(company, hold, line_id)["id"]})


def edit_line(company: Company, session_id: str, line_id: str | int, values: Mapping[str, Any]) -> None:
    """Change a line without checking stock: set another `slip`, or fields named as in `booking_sessions`.

    `params` and `options` are merged into the existing values.
    """
    if unknown := sorted(values.keys() - _FIELDS):
        msg = f"a line has no field {unknown[0]!r}"
        raise ValueError(msg)
    with company.db.transaction():
        line = _line(company, _hold(company, session_id), line_id)
        if "slip" in values:
            holds.replace_line(company, line, slips.read(values["slip"], company.options), values["slip"])
            return
        options = _options(line, values.get("options", {}))
        holds.change_line(company, line, _edited(company, holds.order_of(line), values), options)


def take_stock(company: Company, item_id: int, day: str, qty: int = 1) -> None:
    """Book some of an item's stock elsewhere. A negative number gives stock back, at most what was taken."""
    if item_id not in ITEMS:
        msg = f"no item {item_id}"
        raise KeyError(msg)
    with company.db.transaction():
        stock.take(company, item_id, dates.read(day, company.options), int(qty))


def _edited(company: Company, order: Order, values: Mapping[str, Any]) -> Order:
    params = {**order.params, **{name: int(number) for name, number in values.get("params", {}).items()}}
    if unknown := sorted(params.keys() - order.params.keys()):
        msg = f"item {order.item_id} has no param {unknown[0]!r}"
        raise ValueError(msg)
    if not {"start_date", "end_date", "start_time", "end_time"} & values.keys():
        changed = replace(order, params=params, discount_code=values.get("discount_code", order.discount_code))
        orders.check(changed)
        return changed
    start_time = values.get("start_time", order.start_time)
    return orders.build(
        order.item,
        dates.read(values.get("start_date", order.start.isoformat()), company.options),
        dates.read(values.get("end_date", order.last.isoformat()), company.options),
        params=params,
        times=(start_time, values.get("end_time", "")),
        discount_code=values.get("discount_code", order.discount_code),
    )


def _options(line: Row, stated: Mapping[str, str]) -> dict[str, str]:
    options = {**line["options"], **{str(add_on): opt for add_on, opt in stated.items()}}
    if options.keys() != line["options"].keys() or not set(options.values()) <= {"in", "out"}:
        msg = f"options must be in or out for {', '.join(line['options']) or 'no add-on'}"
        raise ValueError(msg)
    return options


def _hold(company: Company, session_id: str) -> Row:
    hold = holds.find(company, session_id)
    if hold is None:
        msg = f"no booking session {session_id}"
        raise KeyError(msg)
    return hold


def _line(company: Company, hold: Row, line_id: str | int) -> Row:
    for line in holds.lines(company, hold):
        if str(line["number"]) == str(line_id):
            return line
    msg = f"no line {line_id}"
    raise KeyError(msg)
