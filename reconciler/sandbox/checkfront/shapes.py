"""The JSON of a session: the fields of the sample in seed 004, or those of 2017 (notes §1.3)."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from reconciler.sandbox.api import Call
from reconciler.sandbox.checkfront import dates, holds, rating, slips, stock
from reconciler.sandbox.checkfront.envelope import money
from reconciler.sandbox.checkfront.inventory import CURRENCY, QTY
from reconciler.sandbox.checkfront.orders import Order
from reconciler.sandbox.database import Row


def session(call: Call, hold: Row) -> dict[str, Any]:
    """Write a session with its lines by line id. Add-ons follow their package as 1.1, 1.2."""
    lines = holds.lines(call.company, hold)
    shape: dict[str, Any] = {"id": hold["session_id"], "age": holds.age(call.company, hold)}
    if call.options.line_fields == "all":
        shape |= _totals(call, lines)
    items: dict[str, Any] = {}
    for line in lines:
        items |= _with_add_ons(call, hold, line)
    if items:
        shape["item"] = items
    elif call.options.empty_items != "absent":
        # PHP prints an empty map as a list (notes §1.3).
        shape["item"] = [] if call.options.empty_items == "list" else {}
    return shape


def records(call: Call, shape: dict[str, Any]) -> int:
    """Return `records` of the envelope: 0 in the sample of 2014, lines with add-ons in the sample of 2017."""
    return len(shape.get("item") or ()) if call.options.line_fields == "all" else 0


def _with_add_ons(call: Call, hold: Row, line: Row) -> dict[str, Any]:
    order = holds.order_of(line)
    shapes = {str(line["number"]): _line(call, hold, order, line["slip"], in_total=True)}
    for position, add_on in enumerate(order.item.add_ons, start=1):
        opt = line["options"][str(add_on.item_id)]
        extra = _add_on_order(order, add_on.item_id)
        shape = _line(call, hold, extra, slips.write(extra, call.options), in_total=opt == "in")
        # O means optional. The letters of other kinds of add-ons are unknown (notes §2).
        shapes[f"{line['number']}.{position}"] = {**shape, "optin": "O", "opt": opt}
    return shapes


def _add_on_order(order: Order, item_id: int) -> Order:
    return replace(order, item_id=item_id, params={QTY: order.quantity}, discount_code="")


def _line(call: Call, hold: Row, order: Order, slip: str, *, in_total: bool) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "sku": order.item.sku,
        "item_id": order.item_id,
        "name": order.item.name,
        "date": _date(call, order),
        "slip": slip,
        "available": stock.available(call.company, order, excluding=hold),
    }
    if call.options.line_fields == "all":
        shape["unit"] = order.item.unit
        shape["rate"] = {
            "total": money(call, order.price),
            # An add-on that is opted out stays listed with its potential price (notes §1.3).
            "item_total": money(call, order.price if in_total else 0),
            "qty": order.quantity,
            "summary": "<br />".join(f"{param.label}: {order.params[param.name]}" for param in order.item.params),
        }
    return shape


def _date(call: Call, order: Order) -> dict[str, Any]:
    if call.options.line_dates == "string":
        start: str | int = dates.compact(order.start)
        end: str | int = dates.compact(order.last)
    else:
        start = dates.unix(order.start, order.start_time, call.options)
        end = dates.unix(order.last, order.end_time, call.options)
    return {"summary": rating.span(order), "start_date": start, "end_date": end}


def _totals(call: Call, lines: list[Row]) -> dict[str, Any]:
    every = [holds.order_of(line) for line in lines]
    counted = list(every)
    for line, order in zip(lines, every, strict=True):
        chosen = [add_on.item_id for add_on in order.item.add_ons if line["options"][str(add_on.item_id)] == "in"]
        counted += [_add_on_order(order, item_id) for item_id in chosen]
    total = money(call, sum(order.price for order in counted))
    return {
        **_span(call, every),
        "account_id": 1,
        "partner_id": 0,
        "currency_id": CURRENCY,
        "sub_total": total,
        "tax_total": money(call, 0),
        "tax_inc_total": money(call, 0),
        "discount": money(call, sum(order.discount for order in counted)),
        "flat_discount": {"total": 0, "total_pretax": 0},
        "total": total,
        "due": total,
        "paid_total": money(call, 0),
        "deposit": None,
        "tax": [],
        "qty": sum(order.quantity for order in counted),
    }


def _span(call: Call, every: list[Order]) -> dict[str, Any]:
    if not every:
        return {"summary": "", "date_desc": "", "time_desc": "", "start_date": 0, "end_date": 0}
    first, last = min(order.start for order in every), max(order.last for order in every)
    return {
        "summary": ", ".join(order.item.name for order in every),
        "date_desc": dates.summary(first, last),
        "time_desc": "",
        "start_date": dates.unix(first, "", call.options),
        "end_date": dates.unix(last, "", call.options),
    }
