"""What the emulated shop rents out: the same few items in every sandbox.

Item 17 is the one of seed 004's sample, 18 and 21 those of the slips in the checkfront API notes §2.
"""

from __future__ import annotations

from dataclasses import dataclass

CURRENCY, SYMBOL = "CAD", "$"
UNLIMITED = 1_000_000_000
"""What is shown as available of an item whose stock is not counted (notes §1.3)."""

DAYS, NIGHTS, SLOTS = "D", "N", "H"
"""How an item is allocated: by days with the last one included, by nights, or by set times of a day.

Only the letter D is seen in a sample (notes §1.3).
"""

QTY = "qty"
"""The one parameter of a simple item, which its slips write as a bare number (notes §2)."""

DISCOUNTS = {"SUMMER10": 10, "HALF": 50}
"""Discount codes and the percentage that they take off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Param:
    """A number that a rated query states: `param[name]=n`. `most` 0 is no bound; `price` is in cents."""

    name: str
    label: str
    default: int
    least: int = 0
    most: int = 0
    price: int = 0
    uses_stock: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class AddOn:
    """An item that a package offers besides, and whether it is `in` or `out` at first."""

    item_id: int
    opt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item. `stock` is a day's (or a time slot's), None is unlimited; `price` is in cents a unit."""

    item_id: int
    sku: str
    name: str
    params: tuple[Param, ...]
    unit: str = DAYS
    stock: int | None = None
    price: int = 0
    add_ons: tuple[AddOn, ...] = ()
    times: tuple[tuple[str, str], ...] = ()

    @property
    def is_simple(self) -> bool:
        """Say whether the item has a bare quantity and nothing else to state."""
        return [param.name for param in self.params] == [QTY]

    def param(self, name: str) -> Param:
        """Return one parameter; KeyError if the item has no such."""
        return {param.name: param for param in self.params}[name]


def _quantity(price: int) -> tuple[Param, ...]:
    return (Param(name=QTY, label="Quantity", default=1, least=1, price=price),)


_ALL = (
    Item(
        item_id=17,
        sku="overwaterbun",
        name="Overwater Room",
        # A room is one room however many sleep in it: two guests leave the sample's 2 of 2 available.
        params=(Param(name="guests", label="Guests", default=1, least=1, most=4, uses_stock=False),),
        stock=2,
        price=15_000,
    ),
    Item(
        item_id=18,
        sku="harbourkayak",
        name="Harbour kayak tour",
        params=(
            Param(name="adults", label="Adults", default=1, price=6_500),
            Param(name="children", label="Children", default=0, price=3_250),
        ),
        stock=15,
    ),
    Item(item_id=21, sku="bikehire", name="Bike hire", params=_quantity(2_000), stock=10),
    Item(
        item_id=30,
        sku="familypackage",
        name="Family package",
        params=(Param(name="families", label="Families", default=1, least=1, price=25_000),),
        unit=NIGHTS,
        stock=4,
        add_ons=(AddOn(item_id=31, opt="out"), AddOn(item_id=32, opt="in")),
    ),
    Item(item_id=31, sku="picnic", name="Picnic basket", params=_quantity(1_800)),
    Item(item_id=32, sku="guide", name="Guide", params=_quantity(4_000)),
    Item(
        item_id=40,
        sku="cruise",
        name="Sold-out cruise",
        params=(Param(name="guests", label="Guests", default=1, least=1, price=9_900),),
        stock=0,
    ),
    Item(
        item_id=50,
        sku="sunsetsail",
        name="Sunset sail",
        params=(Param(name="guests", label="Guests", default=1, least=1, price=4_500),),
        unit=SLOTS,
        stock=8,
        times=(("17:00", "19:00"), ("19:30", "21:30")),
    ),
)

ITEMS = {item.item_id: item for item in _ALL}
"""The items by their ids."""
