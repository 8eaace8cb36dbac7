"""Carrying out what a session call asks for: lines added, replaced, altered and removed (seed 004).

Every line id of one call is resolved against the numbering before it; a refusal undoes the whole call.
"""

from __future__ import annotations

import re
from dataclasses import replace

from reconciler.sandbox.checkfront import envelope, holds, slips, stock
from reconciler.sandbox.checkfront.forms import Stated
from reconciler.sandbox.checkfront.orders import Order
from reconciler.sandbox.database import Row
from reconciler.sandbox.exchange import Call

_NUMBER = re.compile(r"[0-9]{1,9}")
_OPTS = {"optin": "in", "optout": "out"}


def apply(call: Call, hold: Row, stated: Stated) -> None:
    """Alter lines, then replace one or add some; the order of a mixed call is not documented (notes §7.4)."""
    lines = {str(line["number"]): line for line in holds.lines(call.world, hold)}
    removed: set[int] = set()
    for line_id, action in stated.alter.items():
        _alter(call, hold, lines, line_id, action, removed)
    # Before the rest, so that what is removed makes room for what is added.
    holds.remove_lines(call.world, hold, removed)
    further = list(stated.slips)
    if stated.line_id:
        line = lines.get(stated.line_id)
        _replace(call, hold, line if line and line["id"] not in removed else None, further)
        further = further[1:]
    for slip in further:
        _add(call, hold, slip)


def _alter(call: Call, hold: Row, lines: dict[str, Row], line_id: str, action: str, removed: set[int]) -> None:
    """Do one alteration; removals are only noted, so that the numbers hold for the others."""
    number, dot, add_on = line_id.partition(".")
    line = lines.get(number)
    if line is None:
        _make_no_sense(call, f"There is no line {line_id}")
    elif dot:
        _opt(call, line, line_id, add_on, action)
    elif action == "remove":
        removed.add(line["id"])
    elif not _NUMBER.fullmatch(action):
        _make_no_sense(call, f"Line {line_id} cannot be altered to {action}")
    elif int(action) == 0 and _takes_numbers(call, line) and call.options.alter_zero == "remove":
        removed.add(line["id"])
    else:
        _set_quantity(call, hold, line, int(action))


def _opt(call: Call, line: Row, line_id: str, add_on: str, action: str) -> None:
    add_ons = holds.order_of(line).item.add_ons
    chosen = {str(position): one.item_id for position, one in enumerate(add_ons, start=1)}.get(add_on)
    if chosen is None:
        _make_no_sense(call, f"There is no line {line_id}")
    elif action not in _OPTS:
        _make_no_sense(call, f"Line {line_id} can only be opted in or out")
    else:
        holds.choose(call.world, line, chosen, _OPTS[action])


def _takes_numbers(call: Call, line: Row) -> bool:
    return holds.order_of(line).item.is_simple or call.options.numeric_alter == "works"


def _set_quantity(call: Call, hold: Row, line: Row, number: int) -> None:
    """Set a quantity; on regular items that does nothing in all likelihood (notes §1.1)."""
    if not _takes_numbers(call, line):
        return
    order = holds.order_of(line)
    param = order.item.params[0]
    if param.most and number > param.most:
        _make_no_sense(call, f"{param.name} must be at most {param.most}")
        return
    order = replace(order, params={**order.params, param.name: number})
    if _fits(call, hold, order, instead_of=line):
        holds.change_line(call.world, line, order)


def _replace(call: Call, hold: Row, line: Row | None, texts: list[str]) -> None:
    if line is None or not texts:
        _make_no_sense(call, "line_id and slip go together, for a line that is there")
        return
    order = _read(call, texts[0])
    if order is not None and _fits(call, hold, order, instead_of=line):
        holds.replace_line(call.world, line, order, _kept(call, order, texts[0]))


def _add(call: Call, hold: Row, text: str) -> None:
    order = _read(call, text)
    if order is not None and _fits(call, hold, order):
        holds.add_line(call.world, hold, order, _kept(call, order, text))


def _read(call: Call, text: str) -> Order | None:
    try:
        return slips.read(text, call.options)
    except ValueError:
        _make_no_sense(call, "The slip is not valid")
        return None


def _kept(call: Call, order: Order, text: str) -> str:
    """Return the slip as a line will show it: in the samples, the very one that was posted (notes §1.3)."""
    return text if call.options.slip_echo == "same" else slips.write(order, call.options, anew=True)


def _fits(call: Call, hold: Row, order: Order, instead_of: Row | None = None) -> bool:
    against = stock.shortage_in(call.world, hold, order, instead_of)
    if against and call.options.over_quantity == "error":
        raise envelope.refusal(call, *against)
    return against is None


def _make_no_sense(call: Call, title: str) -> None:
    """Refuse what names nothing, or pass over it in silence (notes §1.5)."""
    if call.options.bad_slip == "error":
        raise envelope.invalid(call, title)
