"""Slips: the tokens that a rated query returns and a session accepts (seed 004, checkfront API notes §2).

Slips are officially opaque. The documented style follows the slips in the samples. Details that no sample
shows (time slots, discounts) are in an encoded last part; `slip_times` can write a time slot in clear. The
opaque style encodes the whole slip. A client that parses slips then fails.
"""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import time
from itertools import cycle
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.sandbox.checkfront import dates, orders
from reconciler.sandbox.checkfront.inventory import ITEMS, QTY, Item
from reconciler.sandbox.checkfront.orders import Order

if TYPE_CHECKING:
    from reconciler.sandbox.options import Options

_SHAPE = re.compile(
    r"([0-9]{1,9})\.([0-9]{8})X([0-9]{1,3})(?:@([0-9]{2}:[0-9]{2})X[0-9]{1,4}X[0-9]{1,4})?((?:-[a-z0-9.]+)+)"
)
_NUMBER = re.compile(r"[0-9]{1,9}")
_SEALED = "z"
_MARK = 5
_BLOCK = 8


def write(order: Order, options: Options, *, fresh: bool = False) -> str:
    """Write an order's slip; `fresh` returns a different text for the same order, like a server that rewrites slips."""
    text = _plain(order, fresh=fresh, plain_times=options.slip_times == "plain")
    return _seal(text) if options.slip_style == "opaque" else text


def read(text: str, options: Options) -> Order:
    """Return the order that a slip represents; ValueError if this server could not have issued it."""
    plain = _unseal(text) if options.slip_style == "opaque" else text
    shape = _SHAPE.fullmatch(plain)
    if shape is None or int(shape[1]) not in ITEMS:
        msg = f"{text!r} is not a slip"
        raise ValueError(msg)
    item = ITEMS[int(shape[1])]
    parts = shape[5][1:].split("-")
    start_time, end_time, discount_code = shape[4] or "", "", ""
    if parts[-1].startswith(f"{_SEALED}."):
        sealed = _unseal(parts.pop().partition(".")[2]).split("/")
        start_time, end_time, discount_code = start_time or sealed[0], sealed[1], sealed[2]
    start = dates.read(shape[2], options)
    order = orders.build(
        item, start, params=_params(item, parts), times=(start_time, end_time), discount_code=discount_code
    )
    order = replace(order, units=int(shape[3]))
    orders.check(order)
    return order


def _plain(order: Order, *, fresh: bool, plain_times: bool) -> str:
    if order.item.is_simple:
        parts = [str(order.params[QTY])]
    else:
        # The names are in alphabetical order in every slip seen.
        parts = [f"{name}.{order.params[name]}" for name in sorted(order.params)]
    times = ""
    extra = [order.start_time, order.end_time, order.discount_code]
    if plain_times and order.start_time:
        times, extra[:2] = f"@{order.start_time}X{_minutes(order)}X{_minutes(order)}", ["", ""]
    if fresh or any(extra):
        parts.append(f"{_SEALED}.{_seal('/'.join([*extra, 'copy'] if fresh else extra))}")
    return "-".join([f"{order.item_id}.{dates.compact(order.start)}X{order.units}{times}", *parts])


def _minutes(order: Order) -> int:
    start, end = (time.fromisoformat(text) for text in (order.start_time, order.end_time))
    return (end.hour - start.hour) * 60 + end.minute - start.minute


def _params(item: Item, parts: list[str]) -> dict[str, int]:
    numbers: dict[str, int] = {}
    for part in parts:
        name, dot, number = part.rpartition(".")
        name = name if dot else QTY
        if bool(dot) is item.is_simple or name not in {param.name for param in item.params}:
            msg = f"item {item.item_id} has no {name}"
            raise ValueError(msg)
        if not _NUMBER.fullmatch(number):
            msg = f"{number!r} is not a number"
            raise ValueError(msg)
        numbers[name] = int(number)
    return numbers


def _seal(text: str) -> str:
    """Encode text as a token that looks random. It is deterministic and can be decoded without stored data."""
    raw = text.encode()
    mark = hashlib.sha256(raw).digest()[:_MARK]
    mixed = bytes(left ^ right for left, right in zip(raw, cycle(hashlib.sha256(mark).digest()), strict=False))
    return base64.b32encode(mark + mixed).decode().rstrip("=").lower()


def _unseal(token: str) -> str:
    sealed = base64.b32decode(token.upper() + "=" * (-len(token) % _BLOCK))
    mark, mixed = sealed[:_MARK], sealed[_MARK:]
    raw = bytes(left ^ right for left, right in zip(mixed, cycle(hashlib.sha256(mark).digest()), strict=False))
    if hashlib.sha256(raw).digest()[:_MARK] != mark:
        msg = f"{token!r} is not a slip"
        raise ValueError(msg)
    return raw.decode()
