"""The rows of booking sessions and their lines, and when a session is over (checkfront API notes §1)."""

from __future__ import annotations

import hashlib
import re
import string
from collections.abc import Collection
from datetime import UTC, date, datetime
from typing import Any

from reconciler.sandbox import clock
from reconciler.sandbox.checkfront import slips
from reconciler.sandbox.checkfront.orders import Order
from reconciler.sandbox.database import Row
from reconciler.sandbox.tables import HOLD, HOLD_LINE
from reconciler.sandbox.world import World

_SAMPLE_ID = "ldpm9qlhgnrobja48vor9965p3"
_ALPHABET = string.digits + string.ascii_lowercase
_ADOPTABLE = re.compile(r"[a-z0-9]{1,128}")


def find(world: World, session_id: str) -> Row | None:
    """Return the session with this id, whether it still runs or has expired."""
    rows = world.db.find(HOLD, "session_id = ?", (session_id,))
    return rows[0] if rows else None


def has_expired(world: World, hold: Row) -> bool:
    """Say whether a session is past its time; how long that is, nobody wrote down (notes §1.5)."""
    limit = world.options.session_hold
    return hold["expired"] or bool(limit and _age(world, hold) >= limit)


def age(world: World, hold: Row) -> int:
    """Return the seconds since the session was last used; the unit of `age` is a guess (notes §1.3)."""
    return max(0, int(_age(world, hold)))


def _age(world: World, hold: Row) -> float:
    return clock.now(world.options).timestamp() - float(hold["used_at"])


def last_use(hold: Row) -> str:
    """Write when the session's time began to run, in UTC."""
    return clock.stored(datetime.fromtimestamp(hold["used_at"], UTC))


def create(world: World) -> Row:
    """Start an empty session; the first of a sandbox has the id of seed 004's sample."""
    row_id = world.db.insert(HOLD, {"used_at": clock.now(world.options).timestamp(), "next_line": 1, "expired": False})
    session_id = _SAMPLE_ID if row_id == HOLD.first_id else _made_up(row_id)
    while find(world, session_id):  # a client brought this very id along, from before a reset
        session_id = _made_up(session_id)
    world.db.update(HOLD, row_id, {"session_id": session_id})
    return reread(world, row_id)


def adopt(world: World, session_id: str) -> Row:
    """Start an empty session under an id that a client brought along, as PHP does by default."""
    hold = find(world, session_id)
    if hold is not None:
        clear(world, hold)
        touch(world, hold)
        return reread(world, hold["id"])
    fresh = create(world)
    if _ADOPTABLE.fullmatch(session_id):
        world.db.update(HOLD, fresh["id"], {"session_id": session_id})
    return reread(world, fresh["id"])


def _made_up(source: object) -> str:
    # 26 of [a-z0-9], as in all samples; the same ones in every run, so that logs can be compared.
    digest = hashlib.sha256(f"booking session {source}".encode()).digest()
    return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest[: len(_SAMPLE_ID)])


def reread(world: World, row_id: int) -> Row:
    """Return a session as it is now."""
    hold = world.db.get(HOLD, row_id)
    if hold is None:
        raise KeyError(row_id)
    return hold


def touch(world: World, hold: Row) -> None:
    """Let the session's time run from now."""
    world.db.update(HOLD, hold["id"], {"used_at": clock.now(world.options).timestamp(), "expired": False})


def expire(world: World, hold: Row) -> None:
    """Let the session be over, whatever the time."""
    world.db.update(HOLD, hold["id"], {"expired": True})


def clear(world: World, hold: Row) -> None:
    """Remove every line; the id stays (notes §1.1)."""
    for line in lines(world, hold):
        world.db.remove(HOLD_LINE, line["id"])
    world.db.update(HOLD, hold["id"], {"next_line": 1})


def end(world: World, hold: Row) -> None:
    """Remove the session with its lines."""
    clear(world, hold)
    world.db.remove(HOLD, hold["id"])


def lines(world: World, hold: Row) -> list[Row]:
    """Return the session's lines in their order."""
    return world.db.find(HOLD_LINE, "hold_id = ?", (hold["id"],), "number, id")


def order_of(line: Row) -> Order:
    """Return what a line is about."""
    return Order(
        item_id=line["item_id"],
        start=date.fromisoformat(line["start"]),
        units=line["units"],
        params=line["params"],
        start_time=line["start_time"],
        end_time=line["end_time"],
        discount_code=line["discount_code"],
    )


def add_line(world: World, hold: Row, order: Order, slip: str) -> None:
    """Put a line at the end; the same slip twice makes two lines (notes §1.5)."""
    number = reread(world, hold["id"])["next_line"]
    world.db.insert(HOLD_LINE, {"hold_id": hold["id"], "number": number, **_values(order, slip)})
    world.db.update(HOLD, hold["id"], {"next_line": number + 1})


def replace_line(world: World, line: Row, order: Order, slip: str) -> None:
    """Put another order in a line's place; its add-ons start afresh, since the choice is the slip's (notes §2)."""
    world.db.update(HOLD_LINE, line["id"], _values(order, slip))


def change_line(world: World, line: Row, order: Order, options: dict[str, str] | None = None) -> None:
    """Change a line in its place; the slip follows, the add-ons stay unless stated."""
    values = _values(order, slips.write(order, world.options))
    del values["options"]
    world.db.update(HOLD_LINE, line["id"], values if options is None else {**values, "options": options})


def choose(world: World, line: Row, add_on: int, opt: str) -> None:
    """Opt an add-on of a line `in` or `out`."""
    options = next(row["options"] for row in world.db.find(HOLD_LINE, "id = ?", (line["id"],)))
    world.db.update(HOLD_LINE, line["id"], {"options": {**options, str(add_on): opt}})


def remove_lines(world: World, hold: Row, row_ids: Collection[int]) -> None:
    """Remove lines; the others move up or keep their numbers, as the options say (notes §1.4)."""
    for row_id in row_ids:
        world.db.remove(HOLD_LINE, row_id)
    if row_ids and world.options.line_renumber == "renumber":
        left = lines(world, hold)
        for number, line in enumerate(left, start=1):
            world.db.update(HOLD_LINE, line["id"], {"number": number})
        world.db.update(HOLD, hold["id"], {"next_line": len(left) + 1})


def _values(order: Order, slip: str) -> dict[str, Any]:
    return {
        "slip": slip,
        "item_id": order.item_id,
        "start": order.start.isoformat(),
        "units": order.units,
        "params": dict(order.params),
        "start_time": order.start_time,
        "end_time": order.end_time,
        "discount_code": order.discount_code,
        "options": {str(add_on.item_id): add_on.opt for add_on in order.item.add_ons},
    }
