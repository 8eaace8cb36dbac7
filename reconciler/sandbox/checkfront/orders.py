"""The content of a slip: an item, its days and its numbers. The price is not in the slip."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from msgspec import Struct

from reconciler.sandbox import clock
from reconciler.sandbox.checkfront.inventory import DAYS, DISCOUNTS, ITEMS, NIGHTS, SLOTS, Item

_LONGEST = 365


class Order(Struct, frozen=True, kw_only=True):
    """One item for some days or nights."""

    item_id: int
    start: date
    """The first day."""

    units: int
    """The number of days or nights."""

    params: Mapping[str, int] = {}
    """The number of each parameter of the item."""

    start_time: str = ""
    """HH:MM, or empty if the item has no time slots."""

    end_time: str = ""
    discount_code: str = ""

    @property
    def item(self) -> Item:
        """The ordered item."""
        return ITEMS[self.item_id]

    @property
    def last(self) -> date:
        """The last day; for nights, the day of departure."""
        return self.start + timedelta(days=self.units - (self.item.unit != NIGHTS))

    @property
    def days(self) -> tuple[date, ...]:
        """The days on which stock is used."""
        return tuple(self.start + timedelta(days=number) for number in range(self.units))

    @property
    def quantity(self) -> int:
        """The stock used on each day; `qty` of the rate (checkfront API notes §1.3)."""
        counting = [param.name for param in self.item.params if param.uses_stock]
        return sum(self.params[name] for name in counting) if counting else 1

    @property
    def full_price(self) -> int:
        """The price in cents before a discount."""
        each = self.item.price + sum(param.price * self.params[param.name] for param in self.item.params)
        return each * self.units

    @property
    def discount(self) -> int:
        """The discount in cents; 0 for an unknown code."""
        return self.full_price * DISCOUNTS.get(self.discount_code, 0) // 100

    @property
    def price(self) -> int:
        """The price in cents."""
        return self.full_price - self.discount


def build(
    item: Item,
    start: date,
    end: date | None = None,
    *,
    params: Mapping[str, int],
    times: tuple[str, str] = ("", ""),
    discount_code: str = "",
) -> Order:
    """Make the order of a rated query, with defaults; ValueError if it is not possible."""
    last = start if end is None else end
    if last < start:
        msg = "end_date is before start_date"
        raise ValueError(msg)
    span = (last - start).days
    units = {DAYS: span + 1, NIGHTS: max(1, span), SLOTS: 1}[item.unit]
    start_time, end_time = _slot(item, *times)
    order = Order(
        item_id=item.item_id,
        start=start,
        units=units,
        params={param.name: params.get(param.name, param.default) for param in item.params},
        start_time=start_time,
        end_time=end_time,
        discount_code=discount_code if discount_code in DISCOUNTS else "",
    )
    check(order)
    return order


def _slot(item: Item, start_time: str, end_time: str) -> tuple[str, str]:
    """Return the time slot with this start. Items without time slots ignore times."""
    if not item.times:
        return "", ""
    for slot in item.times:
        if slot[0] == start_time and end_time in {"", slot[1]}:
            return slot
    starts = ", ".join(start for start, _ in item.times)
    msg = f"start_time must be one of {starts}"
    raise ValueError(msg)


def check(order: Order) -> None:
    """Raise ValueError for numbers that the item does not allow. Stock is not checked."""
    if not 1 <= order.units <= _LONGEST:
        msg = f"the order must be for 1 to {_LONGEST} days"
        raise ValueError(msg)
    if order.item.unit == SLOTS and order.units != 1:
        msg = "a time slot is on a single day"
        raise ValueError(msg)
    clock.check_year(order.last)
    for param in order.item.params:
        number = order.params[param.name]
        if number < param.least or (param.most and number > param.most):
            bound = f"{param.least} to {param.most}" if param.most else f"at least {param.least}"
            msg = f"{param.name} must be {bound}"
            raise ValueError(msg)
    if order.quantity < 1:
        msg = "the quantity must be at least 1"
        raise ValueError(msg)
