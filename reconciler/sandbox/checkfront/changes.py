"""Apply a session call: add, replace, alter and remove lines (seed 004).

All line ids of a call refer to the numbering before the call. A refusal rolls back the whole call.
"""

from __future__ import annotations

import re

from msgspec.structs import replace

from reconciler.sandbox.api import Call
from reconciler.sandbox.checkfront import envelope, holds, slips, stock
from reconciler.sandbox.checkfront.forms import Stated
from reconciler.sandbox.checkfront.orders import Order
from reconciler.sandbox.database import Row

_NUMBER = re.compile(r"[0-9]{1,9}")
_OPTS = {"optin": "in", "optout": "out"}


def apply(call: Call, hold: Row, stated: Stated) -> None:
    """Alter lines, then replace one or add some. The order within a mixed call is not documented (notes §7.4)."""
    lines = {str(line["number"]): line for line in holds.lines(call.company, hold)}
    removed: set[int] = set()
    for line_id, action in stated.alter.items():
        _alter(call, hold, lines, line_id, action, removed)
    # Removing lines first frees stock for the added ones.
    holds.remove_lines(call.company, hold, removed)
    slips_to_add = list(stated.slips)
    if stated.line_id:
        line = lines.get(stated.line_id)
        _replace(call, hold, line if line and line["id"] not in removed else None, slips_to_add)
        slips_to_add = slips_to_add[1:]
    for slip in slips_to_add:
        _add(call, hold, slip)


def _alter(call: Call, hold: Row, lines: dict[str, Row], line_id: str, action: str, removed: set[int]) -> None:
    """Apply one alteration. Removals are only collected here, so that the line numbers stay valid."""
    number, dot, add_on = line_id.partition(".")
    line = lines.get(number)
    if line is None:
        _refuse_or_ignore(call, f"There is no line {line_id}")
    elif dot:
        _set_add_on(call, line, line_id, add_on, action)
    elif action == "remove":
        removed.add(line["id"])
    elif not _NUMBER.fullmatch(action):
        _refuse_or_ignore(call, f"Line {line_id} cannot be altered to {action}")
    elif int(action) == 0 and _takes_numbers(call, line) and call.options.alter_zero == "remove":
        removed.add(line["id"])
    else:
        _set_quantity(call, hold, line, int(action))


def _set_add_on(call: Call, line: Row, line_id: str, add_on: str, action: str) -> None:
    add_ons = holds.order_of(line).item.add_ons
    chosen = {str(position): one.item_id for position, one in enumerate(add_ons, start=1)}.get(add_on)
    if chosen is None:
        _refuse_or_ignore(call, f"There is no line {line_id}")
    elif action not in _OPTS:
        _refuse_or_ignore(call, f"Line {line_id} can only be opted in or out")
    else:
        holds.set_add_on(call.company, line, chosen, _OPTS[action])


def _takes_numbers(call: Call, line: Row) -> bool:
    return holds.order_of(line).item.is_simple or call.options.numeric_alter == "works"


def _set_quantity(call: Call, hold: Row, line: Row, number: int) -> None:
    """Set a quantity. For regular items this probably has no effect (notes §1.1)."""
    if not _takes_numbers(call, line):
        return
    order = holds.order_of(line)
    param = order.item.params[0]
    if param.most and number > param.most:
        _refuse_or_ignore(call, f"{param.name} must be at most {param.most}")
        return
    order = replace(order, params={**order.params, param.name: number})
    if _fits(call, hold, order, instead_of=line):
        holds.change_line(call.company, line, order)


def _replace(call: Call, hold: Row, line: Row | None, texts: list[str]) -> None:
    if line is None or not texts:
        _refuse_or_ignore(call, "line_id and slip must be given together, for an existing line")
        return
    order = _read(call, texts[0])
    if order is not None and _fits(call, hold, order, instead_of=line):
        holds.replace_line(call.company, line, order, _kept(call, order, texts[0]))


def _add(call: Call, hold: Row, text: str) -> None:
    order = _read(call, text)
    if order is not None and _fits(call, hold, order):
        holds.add_line(call.company, hold, order, _kept(call, order, text))


def _read(call: Call, text: str) -> Order | None:
    try:
        return slips.read(text, call.options)
    except ValueError:
        _refuse_or_ignore(call, "The slip is not valid")
        return None


def _kept(call: Call, order: Order, text: str) -> str:
    """Return the slip that a line shows. In the samples it is the posted slip (notes §1.3)."""
    return text if call.options.slip_echo == "same" else slips.write(order, call.options, fresh=True)


def _fits(call: Call, hold: Row, order: Order, instead_of: Row | None = None) -> bool:
    shortage = stock.shortage_in(call.company, hold, order, instead_of)
    if shortage and call.options.over_quantity == "error":
        raise envelope.refusal(call, *shortage)
    return shortage is None


def _refuse_or_ignore(call: Call, title: str) -> None:
    """Refuse a reference to something unknown, or ignore it (notes §1.5)."""
    if call.options.bad_slip == "error":
        raise envelope.invalid(call, title)
