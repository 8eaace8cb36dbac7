"""Rated queries: the price and availability of an item on some days, and its slip (checkfront API notes §2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from msgspec.structs import replace

from reconciler.sandbox.api import Call
from reconciler.sandbox.checkfront import dates, orders, slips, stock
from reconciler.sandbox.checkfront.envelope import INVALID, money
from reconciler.sandbox.checkfront.forms import mapping_of
from reconciler.sandbox.checkfront.inventory import Item
from reconciler.sandbox.checkfront.orders import Order

_DATED = frozenset({"start_date", "date"})
_NUMBER = re.compile(r"[0-9]{1,9}")


def is_rated(values: Mapping[str, Any]) -> bool:
    """Return whether a query is rated: it has a start date (notes §2)."""
    return bool(_DATED & values.keys())


def rate(call: Call, item: Item, values: Mapping[str, Any], *, alone: bool) -> dict[str, Any]:
    """Return the `rate` of an item. It contains any error; the request itself stays OK (notes §1.6).

    A parameter that the item does not have is ignored, or an error if the item is queried `alone` and
    `foreign_parameters` says so. In a list, each parameter applies to the items that have it.
    """
    try:
        order = _order(call, item, values, alone=alone)
    except ValueError as error:
        return {"status": "ERROR", "available": 0, "error": {"id": INVALID, "title": str(error)}}
    return _rated(call, order)


def query_echo(item: Item, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the query with all params filled in, as in a rated answer (notes §2)."""
    params = {param.name: str(param.default) for param in item.params}
    stated = {name: value for name, value in values.items() if name != "param"}
    return {**stated, "param": {**params, **mapping_of(values.get("param"))}}


def _order(call: Call, item: Item, values: Mapping[str, Any], *, alone: bool) -> Order:
    start = dates.read(_text(values, "start_date") or _text(values, "date"), call.options)
    honours = call.options.rates_as_asked
    end = _text(values, "end_date") if honours("days") else ""
    return orders.build(
        item,
        start,
        dates.read(end, call.options) if end else None,
        params=_params(
            item,
            mapping_of(values.get("param") if honours("params") else None),
            strict=alone and call.options.foreign_parameters == "error",
        ),
        times=_times(call, item, values if honours("times") else {}),
        discount_code=_text(values, "discount_code") if honours("discount") else "",
    )


def _times(call: Call, item: Item, values: Mapping[str, Any]) -> tuple[str, str]:
    """Return the asked times. The first time slot is the default, unless `default_time` is `error`."""
    start, end = _time(values, "start_time"), _time(values, "end_time")
    if start or not item.times or call.options.default_time == "error":
        return start, end
    return next((slot for slot in item.times if end in {"", slot[1]}), (start, end))


def _params(item: Item, stated: Mapping[str, Any], *, strict: bool) -> dict[str, int]:
    known = {param.name for param in item.params}
    unknown = sorted(stated.keys() - known)
    if unknown and strict:
        msg = f"item {item.item_id} has no param {unknown[0]}"
        raise ValueError(msg)
    numbers = {}
    for name in known & stated.keys():
        if not _NUMBER.fullmatch(str(stated[name])):
            msg = f"param {name} is not a number"
            raise ValueError(msg)
        numbers[name] = int(stated[name])
    return numbers


def _text(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name, "")
    return value if isinstance(value, str) else ""


def _time(values: Mapping[str, Any], name: str) -> str:
    text = _text(values, name)
    return dates.read_time(text) if text else ""


def _rated(call: Call, order: Order) -> dict[str, Any]:
    left = stock.free_days(call.company, order)
    available = min(left.values())
    if call.options.rate_status:
        return {"status": call.options.rate_status, "available": available, "summary": _summary(call, order)}
    shortage = stock.shortage(order, available)
    shape: dict[str, Any] = {"status": "ERROR" if shortage else "AVAILABLE", "available": available}
    if shortage:
        shape["error"] = {"id": shortage[0], "title": shortage[1]}
    else:
        shape["slip"] = slips.write(order, call.options)
    if call.options.rated_fields == "slip":
        return shape
    if order.start_time:
        shape |= {"start_time": order.start_time, "end_time": order.end_time}
    return {
        **shape,
        "summary": _summary(call, order),
        "sub_total": money(call, order.price),
        "discount": {"amount": money(call, order.discount)},
        "event": [],
        "start_date": dates.compact(order.start),
        "end_date": dates.compact(order.last),
        "dates": {dates.compact(day): _day(call, order, day, number) for day, number in left.items()},
    }


def _summary(call: Call, order: Order) -> dict[str, Any]:
    total = money(call, order.price)
    numbers = {param.name: f"{order.params[param.name]} {param.label}" for param in order.item.params}
    return {
        "title": order.item.name,
        "details": "<br />".join(numbers.values()),
        "price": {"total": total, "title": total, "unit": order.item.unit, "param": numbers},
        "date": span(order),
    }


def _day(call: Call, order: Order, day: date, left: int) -> dict[str, Any]:
    total = order.item.stock
    price = money(call, replace(order, units=1).price)
    booked = 0 if total is None else total - left
    shape: dict[str, Any] = {
        "status": _letter(call, order, left),
        "price": {"total": price},
        "stock": {"T": left + booked, "B": booked, "A": left},
    }
    if order.item.times:
        shape["timeslots"] = [_time_slot(call, order, day, times) for times in order.item.times]
    return shape


def _time_slot(call: Call, order: Order, day: date, times: tuple[str, str]) -> dict[str, Any]:
    start, end = times
    left = stock.available(call.company, replace(order, start=day, units=1, start_time=start, end_time=end))
    return {"start_time": start, "end_time": end, "status": _letter(call, order, left), "A": left}


def _letter(call: Call, order: Order, left: int) -> str:
    """Write whether a day or time slot is free: A as in a sample of 2017, U as in a closed event (notes §4.1)."""
    free, sold_out = ("A", "U") if call.options.day_status == "letter" else ("AVAILABLE", "ERROR")
    return free if order.quantity <= left else sold_out


def span(order: Order) -> str:
    """Write the days and times of an order for people."""
    return dates.summary(order.start, order.last, (order.start_time, order.end_time))
