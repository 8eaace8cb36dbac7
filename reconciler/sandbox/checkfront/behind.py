"""Booking sessions behind a client's back, and the full truth about them: what no API call shows or does.

KeyError means an unknown session, line or item, ValueError a wrong field or value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from reconciler.sandbox.checkfront import dates, holds, orders, slips, stock
from reconciler.sandbox.checkfront.inventory import ITEMS
from reconciler.sandbox.checkfront.orders import Order
from reconciler.sandbox.database import Row
from reconciler.sandbox.options import Options
from reconciler.sandbox.tables import HOLD
from reconciler.sandbox.world import World

_FIELDS = frozenset({"slip", "start_date", "end_date", "start_time", "end_time", "params", "discount_code", "options"})


def truth(world: World) -> list[Row]:
    """Return every session that was not ended, expired ones too, with its lines."""
    with world.db.transaction():
        return [
            {
                "id": hold["session_id"],
                "used_at": holds.last_use(hold),
                "expired": holds.has_expired(world, hold),
                "lines": [_shown(line) for line in holds.lines(world, hold)],
            }
            for hold in world.db.find(HOLD)
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


def add(world: World, slip_texts: Iterable[str]) -> str:
    """Start a session that holds what slips stand for, stock unlooked at; return its id."""
    with world.db.transaction():
        hold = holds.create(world)
        for text in slip_texts:
            order = slips.read(text, Options())
            holds.add_line(world, hold, order, slips.write(order, world.options))
    return str(hold["session_id"])


def expire(world: World, session_id: str) -> None:
    """Let one session be over, as if its time had passed."""
    with world.db.transaction():
        holds.expire(world, _hold(world, session_id))


def expire_all(world: World) -> None:
    """Let every session be over."""
    with world.db.transaction():
        for hold in world.db.find(HOLD):
            holds.expire(world, hold)


def end(world: World, session_id: str) -> None:
    """Remove a session with its lines."""
    with world.db.transaction():
        holds.end(world, _hold(world, session_id))


def remove_line(world: World, session_id: str, line_id: str | int) -> None:
    """Remove a line; what becomes of the other numbers is the switch `line_renumber`."""
    with world.db.transaction():
        hold = _hold(world, session_id)
        holds.remove_lines(world, hold, {_line(world, hold, line_id)["id"]})


def edit_line(world: World, session_id: str, line_id: str | int, values: Mapping[str, Any]) -> None:
    """Change a line: another `slip`, or fields as `truth` names them; stock is not looked at.

    `params` and `options` are merged into what is there.
    """
    if unknown := sorted(values.keys() - _FIELDS):
        msg = f"a line has no field {unknown[0]!r}"
        raise ValueError(msg)
    with world.db.transaction():
        line = _line(world, _hold(world, session_id), line_id)
        if "slip" in values:
            holds.replace_line(world, line, slips.read(values["slip"], world.options), values["slip"])
            return
        options = _options(line, values.get("options", {}))
        holds.change_line(world, line, _edited(world, holds.order_of(line), values), options)


def take_stock(world: World, item_id: int, day: str, qty: int = 1) -> None:
    """Book some of an item's stock elsewhere; a negative number gives it back, down to none."""
    if item_id not in ITEMS:
        msg = f"no item {item_id}"
        raise KeyError(msg)
    with world.db.transaction():
        stock.take(world, item_id, dates.read(day, world.options), int(qty))


def _edited(world: World, order: Order, values: Mapping[str, Any]) -> Order:
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
        dates.read(values.get("start_date", order.start.isoformat()), world.options),
        dates.read(values.get("end_date", order.last.isoformat()), world.options),
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


def _hold(world: World, session_id: str) -> Row:
    hold = holds.find(world, session_id)
    if hold is None:
        msg = f"no booking session {session_id}"
        raise KeyError(msg)
    return hold


def _line(world: World, hold: Row, line_id: str | int) -> Row:
    for line in holds.lines(world, hold):
        if str(line["number"]) == str(line_id):
            return line
    msg = f"no line {line_id}"
    raise KeyError(msg)
