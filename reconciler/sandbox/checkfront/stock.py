"""How many are left: the stock less what was taken and what running sessions hold (checkfront API notes §1.5)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from reconciler.sandbox.checkfront import holds
from reconciler.sandbox.checkfront.inventory import UNLIMITED
from reconciler.sandbox.checkfront.orders import Order
from reconciler.sandbox.database import Row
from reconciler.sandbox.tables import HOLD, STOCK_TAKEN
from reconciler.sandbox.world import World


def free_days(world: World, order: Order, besides: Row | None = None) -> dict[date, int]:
    """Return what is left on each day of an order, without regard to the session `besides`.

    The published samples show the same number on a session's line as in the rated query before it,
    so a session's own lines do not count against the number that it is shown (notes §1.3).
    """
    if order.item.stock is None:
        return dict.fromkeys(order.days, UNLIMITED)
    left = {day: order.item.stock - _taken(world, order.item_id, day) for day in order.days}
    if world.options.hold_stock == "yes":
        for hold in world.db.find(HOLD):
            if not holds.has_expired(world, hold) and (besides is None or hold["id"] != besides["id"]):
                _subtract(left, order, map(holds.order_of, holds.lines(world, hold)))
    return {day: max(0, number) for day, number in left.items()}


def available(world: World, order: Order, besides: Row | None = None) -> int:
    """Return how many are left on the tightest day of an order."""
    return min(free_days(world, order, besides).values())


def shortage(order: Order, left: int) -> tuple[str, str] | None:
    """Say what stands against an order: an error id that clients know, with its title (notes §1.5)."""
    if order.quantity <= left:
        return None
    return ("OVERBOOK", f"Only {left} available") if left else ("SOLDOUT", "Sold out")


def shortage_in(world: World, hold: Row, order: Order, instead_of: Row | None = None) -> tuple[str, str] | None:
    """Say what stands against an order as one more line of a session, or as a line's new content."""
    others = [line for line in holds.lines(world, hold) if instead_of is None or line["id"] != instead_of["id"]]
    left = free_days(world, order, besides=hold)
    if order.item.stock is not None:
        _subtract(left, order, map(holds.order_of, others))
    return shortage(order, max(0, min(left.values())))


def take(world: World, item_id: int, day: date, qty: int) -> None:
    """Take stock for a day as if it were booked elsewhere; a negative number gives it back."""
    world.db.insert(STOCK_TAKEN, {"item_id": item_id, "day": day.isoformat(), "qty": qty})


def _taken(world: World, item_id: int, day: date) -> int:
    rows = world.db.find(STOCK_TAKEN, "item_id = ? AND day = ?", (item_id, day.isoformat()))
    return max(0, sum(int(row["qty"]) for row in rows))


def _subtract(left: dict[date, int], order: Order, held: Iterable[Order]) -> None:
    for other in held:
        if (other.item_id, other.start_time) == (order.item_id, order.start_time):
            for day in left.keys() & set(other.days):
                left[day] -= other.quantity
