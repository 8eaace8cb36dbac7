"""Availability: the stock minus bookings elsewhere and lines of running sessions (checkfront API notes §1.5)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from reconciler.sandbox.checkfront import holds
from reconciler.sandbox.checkfront.inventory import UNLIMITED
from reconciler.sandbox.checkfront.orders import Order
from reconciler.sandbox.company import Company
from reconciler.sandbox.database import Row
from reconciler.sandbox.tables import HOLD, STOCK_TAKEN


def free_days(company: Company, order: Order, excluding: Row | None = None) -> dict[date, int]:
    """Return the availability on each day of an order, without counting the session `excluding`.

    In the published samples, a session's line shows the same number as the rated query before it. So the lines
    of a session do not reduce the number shown in that session (notes §1.3).
    """
    if order.item.stock is None:
        return dict.fromkeys(order.days, UNLIMITED)
    left = {day: order.item.stock - _taken(company, order.item_id, day) for day in order.days}
    if company.options.hold_stock == "yes":
        for hold in company.db.find(HOLD):
            if not holds.has_expired(company, hold) and (excluding is None or hold["id"] != excluding["id"]):
                _subtract(left, order, map(holds.order_of, holds.lines(company, hold)))
    return {day: max(0, number) for day, number in left.items()}


def available(company: Company, order: Order, excluding: Row | None = None) -> int:
    """Return the lowest availability over the days of an order."""
    return min(free_days(company, order, excluding).values())


def shortage(order: Order, left: int) -> tuple[str, str] | None:
    """Return the error id and title if the order exceeds the stock, else None (notes §1.5)."""
    if order.quantity <= left:
        return None
    return ("OVERBOOK", f"Only {left} available") if left else ("SOLDOUT", "Sold out")


def shortage_in(company: Company, hold: Row, order: Order, instead_of: Row | None = None) -> tuple[str, str] | None:
    """Return the shortage of an order as a new line of a session, or as a replacement for a line."""
    others = [line for line in holds.lines(company, hold) if instead_of is None or line["id"] != instead_of["id"]]
    left = free_days(company, order, excluding=hold)
    if order.item.stock is not None:
        _subtract(left, order, map(holds.order_of, others))
    return shortage(order, max(0, min(left.values())))


def take(company: Company, item_id: int, day: date, qty: int) -> None:
    """Take stock for a day as if booked elsewhere. A negative number gives it back."""
    company.db.insert(STOCK_TAKEN, {"item_id": item_id, "day": day.isoformat(), "qty": qty})


def _taken(company: Company, item_id: int, day: date) -> int:
    rows = company.db.find(STOCK_TAKEN, "item_id = ? AND day = ?", (item_id, day.isoformat()))
    return max(0, sum(int(row["qty"]) for row in rows))


def _subtract(left: dict[date, int], order: Order, held: Iterable[Order]) -> None:
    for other in held:
        if (other.item_id, other.start_time) == (order.item_id, order.start_time):
            for day in left.keys() & set(other.days):
                left[day] -= other.quantity
