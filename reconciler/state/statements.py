"""The statements that every call of a run executes, built once: SQLAlchemy takes longer to build one than to run it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import (
    ColumnElement,
    Delete,
    Insert,
    Select,
    Table,
    Update,
    and_,
    bindparam,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.sql.dml import ReturningInsert

from reconciler.model.objects import Address
from reconciler.state.holder import EXPIRY
from reconciler.state.schema import forgotten, intents, leases, objects


@dataclass(frozen=True, slots=True, kw_only=True)
class Statements:
    """What is executed for one project and environment; `of_…` are the parameters that say which rows are meant.

    `beat` takes `of_run`; `known` takes `of_token`; `open` and `end` take `of_number`; `change` and `unforget` take
    what `of` returns. `begin`, `add` and `change` take the columns' values too.
    """

    beat: Update
    known: Select[Any]
    begin: ReturningInsert[Any]
    open: Select[Any]
    end: Delete
    change: Update
    add: Insert
    unforget: Delete

    @classmethod
    def of_scope(cls, project: str, environment: str, clock: ColumnElement[float]) -> Self:
        """Build them; `clock` is asked anew at each execution."""

        def mine(table: Table) -> ColumnElement[bool]:
            return and_(table.c.project == project, table.c.environment == environment)

        def one(table: Table) -> ColumnElement[bool]:
            return and_(mine(table), table.c.kind == bindparam("of_kind"), table.c.name == bindparam("of_name"))

        numbered = intents.c.number == bindparam("of_number")
        return cls(
            beat=update(leases)
            .where(mine(leases), leases.c.run_id == bindparam("of_run"))
            .values(beat=clock, expires=clock + EXPIRY),
            known=select(intents.c.number).where(intents.c.token == bindparam("of_token")),
            begin=insert(intents).returning(intents.c.number),
            open=select(intents.c.number).where(numbered),
            end=delete(intents).where(numbered),
            change=update(objects).where(one(objects)),
            add=insert(objects),
            unforget=delete(forgotten).where(one(forgotten)),
        )


def of(address: Address) -> dict[str, str]:
    """Return the parameters that say which object's rows are meant."""
    return {"of_kind": address.kind, "of_name": address.name}
