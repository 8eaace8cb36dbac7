"""The statements of every call of a run, built once: SQLAlchemy takes longer to build one than to run it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Self

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Delete,
    Insert,
    Select,
    String,
    Table,
    Update,
    and_,
    bindparam,
    case,
    delete,
    insert,
    not_,
    select,
    update,
)
from sqlalchemy.sql.dml import ReturningDelete, ReturningInsert

from reconciler.model.objects import Address
from reconciler.state.holder import EXPIRY
from reconciler.state.rows import CONFIRMED
from reconciler.state.schema import drift, forgotten, in_scope, intents, leases, objects

_TICK = 0.001
"""Seconds by which a heartbeat moves where the clock does not: who watches it sees that the holder lives."""

KEPT = ("run_id", "kind", "name", "connection", "target", "fields", "started_at")
"""The columns of an intent that a doubt keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statements:
    """The statements for one project and environment. Parameters named `of_…` select the rows."""

    beat: Update
    """Renew the lease of run `of_run`."""
    known: Select[Any]
    """Find the intent with `of_token`."""
    begin: ReturningInsert[Any]
    """Add an intent from the values of its columns."""
    open: Select[Any]
    """Find the intent `of_number`."""
    end: Delete
    """Delete the intent `of_number`."""
    extend: Update
    """Have the call of the intent `of_number` end at `of_until`, but not earlier than recorded."""
    confirm: Update
    """Mark the intent `of_number`, whose call succeeded. Reads may be behind until its `pending_until`."""
    put: Insert
    """Add an object from the values of its columns, or update the one that is there, but for when it was created."""
    settle: ReturningDelete[Any]
    """Delete the intents of the object that `of` selects, and return what they were."""
    remove: Delete
    """Delete the object that `of` selects."""
    undrift: Delete
    """Delete what was seen of the object that `of` selects."""
    unforget: Delete
    """Delete the note that the object which `of` selects expired."""

    @classmethod
    def of_scope(cls, scope: Mapping[str, str], clock: ColumnElement[float], pace: float, dialect: str) -> Self:
        """Build the statements; each execution reads the `clock`. `pace`: how much longer a lease lasts.

        `dialect` is SQLAlchemy's name of the database.
        """

        def mine(table: Table) -> ColumnElement[bool]:
            return in_scope(table, scope)

        def one(table: Table) -> ColumnElement[bool]:
            return and_(mine(table), table.c.kind == bindparam("of_kind"), table.c.name == bindparam("of_name"))

        numbered = intents.c.number == bindparam("of_number")
        effect, pending = intents.c.effect, intents.c.pending_until
        until: BindParameter[str] = bindparam("of_until", type_=String())
        return cls(
            beat=update(leases)
            .where(mine(leases), leases.c.run_id == bindparam("of_run"))
            .values(
                beat=case((leases.c.beat == clock, leases.c.beat + _TICK), else_=clock), expires=clock + EXPIRY * pace
            ),
            known=select(intents.c.number).where(intents.c.token == bindparam("of_token")),
            begin=insert(intents).returning(intents.c.number),
            open=select(intents.c.number).where(numbered),
            end=delete(intents).where(numbered),
            extend=update(intents).where(numbered).values(pending_until=case((pending > until, pending), else_=until)),
            confirm=update(intents)
            .where(numbered, not_(effect.endswith(CONFIRMED)))  # a second try finds it marked
            .values(effect=effect + CONFIRMED),
            put=_replacing(objects, dialect, "created_at"),
            settle=delete(intents).where(one(intents)).returning(effect, *(intents.c[name] for name in KEPT)),
            remove=delete(objects).where(one(objects)),
            undrift=delete(drift).where(one(drift)),
            unforget=delete(forgotten).where(one(forgotten)),
        )


def _replacing(table: Table, dialect: str, *kept: str) -> Insert:
    """Return what adds a row, or updates the row of the same key except for columns that are kept."""
    added: Any = import_module(f"sqlalchemy.dialects.{dialect}").insert(table)
    key = [column.name for column in table.primary_key]
    changed = {name: value for name, value in added.excluded.items() if name not in {*key, *kept}}
    replacing: Insert = added.on_conflict_do_update(index_elements=key, set_=changed)
    return replacing


def of(address: Address) -> dict[str, str]:
    """Return the parameters that select the rows of one object."""
    return {"of_kind": address.kind, "of_name": address.name}
