"""What a run remembers of the live systems: which ids were there before it, and which of its calls are in doubt."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, delete, insert, select, union, update

from reconciler.errors import ReconcilerError
from reconciler.model.objects import Address, Intent
from reconciler.state.rows import doubt_of, intent_values
from reconciler.state.schema import baselines, doubts, intents, seen
from reconciler.state.statements import KEPT, Statements, of

Result = TypeVar("Result")

DOUBTS_SINCE = 3
"""The version of the state that has the tables of doubts and of ids that were seen."""


class Lookback(ABC):
    """The part of a store that tells what was there before from what came later."""

    _scope: dict[str, str]
    _statements: Statements

    @abstractmethod
    def _mine(self, table: Table, address: Address | None = None) -> ColumnElement[bool]: ...

    @abstractmethod
    def _rows(self, query: Select[Any], *, since: int = ...) -> Sequence[Row[Any]]: ...

    @abstractmethod
    def _write(self, work: Callable[[Connection], Result], *, ends: int | None = None) -> Result: ...

    def record_baseline(self, run_id: str, ids: Mapping[tuple[str, str], Collection[str]]) -> None:
        """Record which ids were live, by connection and kind, before a run creates anything there."""
        rows = [
            {**self._scope, "run_id": run_id, "connection": place[0], "kind": place[1], "ids": sorted(found)}
            for place, found in sorted(ids.items())
        ]

        def work(connection: Connection) -> None:
            connection.execute(delete(baselines).where(self._mine(baselines), baselines.c.run_id == run_id))
            connection.execute(insert(baselines), rows)

        if rows:
            self._write(work)

    def baselines(self) -> Mapping[tuple[str, str, str], frozenset[str]]:
        """Return the recorded baselines, by run, connection and kind."""
        rows = self._rows(select(baselines).where(self._mine(baselines)))
        return {(row.run_id, row.connection, row.kind): frozenset(row.ids) for row in rows}

    def prune(self) -> None:
        """Remove the baselines of runs that left no open intent and no doubt."""
        doubtful = [select(table.c.run_id).where(self._mine(table)) for table in (intents, doubts)]
        query = delete(baselines).where(self._mine(baselines), baselines.c.run_id.not_in(union(*doubtful)))
        self._write(lambda connection: connection.execute(query))

    def doubts(self) -> tuple[Intent, ...]:
        """Return the creates of unknown result that were settled, oldest first."""
        query = select(doubts).where(self._mine(doubts)).order_by(doubts.c.started_at, doubts.c.kind, doubts.c.name)
        return tuple(doubt_of(row) for row in self._rows(query, since=DOUBTS_SINCE))

    def close_call(self, number: int, *, pending_until: str = "", confirmed: bool = False) -> None:
        """Record until when the call of an intent may still be processed, or that the server `confirmed` it."""
        row = update(intents).where(intents.c.number == number).values(pending_until=pending_until)
        which = {"of_number": number}
        self._write(
            lambda tx: tx.execute(self._statements.confirm, which) if confirmed else tx.execute(row), ends=number
        )

    def extend(self, number: int, pending_until: str) -> None:
        """Record that an intent's call starts later than was thought; ReconcilerError where another run settled it."""
        given = {"of_number": number, "of_until": pending_until}

        def work(connection: Connection) -> None:
            if connection.execute(self._statements.extend, given).rowcount != 1:
                message = "another run already completed this change, so the call is not sent"
                raise ReconcilerError(message, hint="plan again")

        self._write(work)

    def settle(self, address: Address) -> None:
        """Delete every open intent of an address and the note that it expired: the live system was read.

        What a create of unknown result sent is kept: the server may still execute it.
        """
        self._write(lambda connection: self._settle(connection, address))

    def _settle(self, connection: Connection, address: Address) -> None:
        ended = connection.execute(self._statements.settle, of(address)).all()
        self._keep_doubts(connection, address, [row for row in ended if row.effect == "create"])
        connection.execute(self._statements.unforget, of(address))

    def keep_doubts(self, found: Sequence[Intent]) -> None:
        """Record doubts about objects; one of the same run and object is replaced."""

        def work(connection: Connection) -> None:
            for item in found:
                of_run = (self._mine(doubts, item.address), doubts.c.run_id == item.run_id)
                connection.execute(delete(doubts).where(*of_run))
                values = intent_values(item)
                connection.execute(insert(doubts).values(**self._scope, **{name: values[name] for name in KEPT}))

        if found:
            self._write(work)

    def end_doubts(self, address: Address) -> None:
        """Remove the doubts about an object: a person decided."""
        self._write(lambda connection: connection.execute(delete(doubts).where(self._mine(doubts, address))))

    def expire_doubts(self, before: str, *, without: Collection[Address] = ()) -> None:
        """Remove the doubts about creates that were sent before an instant, except those of some objects."""
        old = [item.address for item in self.doubts() if item.started_at < before and item.address not in without]

        def work(connection: Connection) -> None:
            for address in dict.fromkeys(old):
                which = (self._mine(doubts, address), doubts.c.started_at < before)
                connection.execute(delete(doubts).where(*which))

        if old:
            self._write(work)

    def _keep_doubts(self, connection: Connection, address: Address, rows: Sequence[Row[Any]]) -> None:
        """Keep creates of unknown result, which were open intents of an address."""
        for row in rows:
            of_run = (self._mine(doubts, address), doubts.c.run_id == row.run_id)
            connection.execute(delete(doubts).where(*of_run))
            values = {name: getattr(row, name) for name in KEPT}
            connection.execute(insert(doubts).values(**self._scope, **values))

    def _rename_doubts(self, connection: Connection, source: Address, target: Address) -> None:
        renamed = select(doubts.c.run_id).where(self._mine(doubts, source))
        connection.execute(delete(doubts).where(self._mine(doubts, target), doubts.c.run_id.in_(renamed)))
        connection.execute(update(doubts).where(self._mine(doubts, source)).values(name=target.name))

    def seen(self) -> Mapping[tuple[str, str], frozenset[str]]:
        """Return the ids of unmanaged objects that were seen and are no duplicates, by target and kind."""
        rows = self._rows(select(seen).where(self._mine(seen)), since=DOUBTS_SINCE)
        return {(row.target, row.kind): frozenset(row.ids) for row in rows}

    def record_seen(self, ids: Mapping[tuple[str, str], Collection[str]]) -> None:
        """Replace the ids that were seen, by target and kind."""

        def work(connection: Connection) -> None:
            for (target, kind), found in sorted(ids.items()):
                which = (self._mine(seen), seen.c.target == target, seen.c.kind == kind)
                connection.execute(delete(seen).where(*which))
                row = {**self._scope, "target": target, "kind": kind, "ids": sorted(found)}
                connection.execute(insert(seen).values(row))

        if ids:
            self._write(work)
