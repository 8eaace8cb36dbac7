"""The items of the emulated shop. They are the same in every sandbox.

Item 17 is from the sample of seed 004. Items 18 and 21 are from the slips in the checkfront API notes §2.
"""

from __future__ import annotations

from msgspec import Struct

CURRENCY, SYMBOL = "CAD", "$"
UNLIMITED = 1_000_000_000
"""The available number shown for an item without limited stock (notes §1.3)."""

DAYS, NIGHTS, SLOTS = "D", "N", "H"
"""How an item is allocated: by days (last day included), by nights, or by fixed times of a day.

Only the letter D appears in a sample (notes §1.3).
"""

QTY = "qty"
"""The only parameter of a simple item. Slips write it as a plain number (notes §2)."""

DISCOUNTS = {"SUMMER10": 10, "HALF": 50}
"""Discount codes with their percentage."""


class Param(Struct, frozen=True, kw_only=True):
    """A number in a rated query: `param[name]=n`."""

    name: str
    label: str
    default: int
    least: int = 0
    most: int = 0
    """The upper limit; 0 means none."""

    price: int = 0
    """In cents."""

    uses_stock: bool = True
    """Whether the number is taken from the stock."""


class AddOn(Struct, frozen=True, kw_only=True):
    """An optional item of a package."""

    item_id: int
    opt: str
    """The initial choice: `in` or `out`."""


class Item(Struct, frozen=True, kw_only=True):
    """One item of the shop."""

    item_id: int
    sku: str
    name: str
    params: tuple[Param, ...]
    unit: str = DAYS
    stock: int | None = None
    """The stock per day or time slot; None means unlimited."""

    price: int = 0
    """In cents per unit."""

    add_ons: tuple[AddOn, ...] = ()
    times: tuple[tuple[str, str], ...] = ()
    """The start and end of each time slot, HH:MM."""

    @property
    def is_simple(self) -> bool:
        """Whether a quantity is the only parameter."""
        return [param.name for param in self.params] == [QTY]

    def param(self, name: str) -> Param:
        """Return one parameter; KeyError if it does not exist."""
        return {param.name: param for param in self.params}[name]


def _quantity(price: int) -> tuple[Param, ...]:
    return (Param(name=QTY, label="Quantity", default=1, least=1, price=price),)


_ALL = (
    Item(
        item_id=17,
        sku="overwaterbun",
        name="Overwater Room",
        # Guests do not use stock. In the sample, two guests still leave 2 of 2 rooms available.
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
