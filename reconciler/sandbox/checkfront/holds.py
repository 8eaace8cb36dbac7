"""The rows of booking sessions and their lines, and when a session expires (checkfront API notes §1)."""

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
from reconciler.sandbox.company import Company
from reconciler.sandbox.database import Row
from reconciler.sandbox.tables import HOLD, HOLD_LINE

_SAMPLE_ID = "ldpm9qlhgnrobja48vor9965p3"
_ALPHABET = string.digits + string.ascii_lowercase
_ADOPTABLE = re.compile(r"[a-z0-9]{1,128}")


def find(company: Company, session_id: str) -> Row | None:
    """Return the session with this id, running or expired."""
    rows = company.db.find(HOLD, "session_id = ?", (session_id,))
    return rows[0] if rows else None


def has_expired(company: Company, hold: Row) -> bool:
    """Return whether a session has expired. Its lifetime is not documented (notes §1.5)."""
    limit = company.options.session_hold
    return hold["expired"] or bool(limit and _age(company, hold) >= limit)


def age(company: Company, hold: Row) -> int:
    """Return the seconds since the last use. The unit of `age` is a guess (notes §1.3)."""
    return max(0, int(_age(company, hold)))


def _age(company: Company, hold: Row) -> float:
    return clock.now(company.options).timestamp() - float(hold["used_at"])


def last_use(hold: Row) -> str:
    """Return when the session was last used, in UTC."""
    return clock.stored(datetime.fromtimestamp(hold["used_at"], UTC))


def create(company: Company) -> Row:
    """Start an empty session; the first of a sandbox has the id of seed 004's sample."""
    row_id = company.db.insert(
        HOLD, {"used_at": clock.now(company.options).timestamp(), "next_line": 1, "expired": False}
    )
    session_id = _SAMPLE_ID if row_id == HOLD.first_id else _made_up(row_id)
    while find(company, session_id):  # a client reused this id from before a reset
        session_id = _made_up(session_id)
    company.db.update(HOLD, row_id, {"session_id": session_id})
    return reread(company, row_id)


def adopt(company: Company, session_id: str) -> Row:
    """Start an empty session under the id that a client sent, as PHP does by default."""
    hold = find(company, session_id)
    if hold is not None:
        clear(company, hold)
        touch(company, hold)
        return reread(company, hold["id"])
    fresh = create(company)
    if _ADOPTABLE.fullmatch(session_id):
        company.db.update(HOLD, fresh["id"], {"session_id": session_id})
    return reread(company, fresh["id"])


def _made_up(source: object) -> str:
    # 26 characters of [a-z0-9], as in all samples. Every run produces the same ids, so that logs can be compared.
    digest = hashlib.sha256(f"booking session {source}".encode()).digest()
    return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest[: len(_SAMPLE_ID)])


def reread(company: Company, row_id: int) -> Row:
    """Return the current row of a session."""
    hold = company.db.get(HOLD, row_id)
    if hold is None:
        raise KeyError(row_id)
    return hold


def touch(company: Company, hold: Row) -> None:
    """Restart the lifetime of the session now."""
    company.db.update(HOLD, hold["id"], {"used_at": clock.now(company.options).timestamp(), "expired": False})


def expire(company: Company, hold: Row) -> None:
    """Mark the session as expired."""
    company.db.update(HOLD, hold["id"], {"expired": True})


def clear(company: Company, hold: Row) -> None:
    """Remove every line and keep the id (notes §1.1)."""
    for line in lines(company, hold):
        company.db.remove(HOLD_LINE, line["id"])
    company.db.update(HOLD, hold["id"], {"next_line": 1})


def end(company: Company, hold: Row) -> None:
    """Remove the session with its lines."""
    clear(company, hold)
    company.db.remove(HOLD, hold["id"])


def lines(company: Company, hold: Row) -> list[Row]:
    """Return the lines of the session in order."""
    return company.db.find(HOLD_LINE, "hold_id = ?", (hold["id"],), "number, id")


def order_of(line: Row) -> Order:
    """Return the order of a line."""
    return Order(
        item_id=line["item_id"],
        start=date.fromisoformat(line["start"]),
        units=line["units"],
        params=line["params"],
        start_time=line["start_time"],
        end_time=line["end_time"],
        discount_code=line["discount_code"],
    )


def add_line(company: Company, hold: Row, order: Order, slip: str) -> None:
    """Append a line. Posting the same slip twice creates two lines (notes §1.5)."""
    number = reread(company, hold["id"])["next_line"]
    company.db.insert(HOLD_LINE, {"hold_id": hold["id"], "number": number, **_values(order, slip)})
    company.db.update(HOLD, hold["id"], {"next_line": number + 1})


def replace_line(company: Company, line: Row, order: Order, slip: str) -> None:
    """Replace the order of a line. Its add-ons are reset, because they depend on the slip (notes §2)."""
    company.db.update(HOLD_LINE, line["id"], _values(order, slip))


def change_line(company: Company, line: Row, order: Order, options: dict[str, str] | None = None) -> None:
    """Change a line in place. The slip is updated; the add-ons stay unless given."""
    kept = company.options.altered_slip == "kept"
    values = _values(order, line["slip"] if kept else slips.write(order, company.options))
    del values["options"]
    company.db.update(HOLD_LINE, line["id"], values if options is None else {**values, "options": options})


def set_add_on(company: Company, line: Row, add_on: int, opt: str) -> None:
    """Set an add-on of a line to `in` or `out`."""
    options = next(row["options"] for row in company.db.find(HOLD_LINE, "id = ?", (line["id"],)))
    company.db.update(HOLD_LINE, line["id"], {"options": {**options, str(add_on): opt}})


def remove_lines(company: Company, hold: Row, row_ids: Collection[int]) -> None:
    """Remove lines. `line_renumber` decides whether the other lines keep their numbers (notes §1.4)."""
    for row_id in row_ids:
        company.db.remove(HOLD_LINE, row_id)
    if row_ids and company.options.line_renumber == "renumber":
        left = lines(company, hold)
        for number, line in enumerate(left, start=1):
            company.db.update(HOLD_LINE, line["id"], {"number": number})
        company.db.update(HOLD, hold["id"], {"next_line": len(left) + 1})


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
