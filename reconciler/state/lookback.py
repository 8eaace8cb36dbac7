"""What a run remembers of the live systems: which ids were there before it, and which of its calls are in doubt."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeVar

from reconciler.errors import ReconcilerError
from reconciler.model.objects import Address, Intent
from reconciler.state import statements
from reconciler.state.connection import Connection
from reconciler.state.rows import Row, doubt_of, intent_values
from reconciler.state.schema import IN_SCOPE, Table, baselines, doubts, forgotten, intents, seen

Result = TypeVar("Result")

DOUBTS_SINCE = 3
"""The version of the state that has the tables of doubts and of ids that were seen."""


_UNNEEDED = f"""
DELETE FROM {baselines.name} WHERE {IN_SCOPE} AND run_id NOT IN (
  SELECT run_id FROM {intents.name} WHERE {IN_SCOPE}
  UNION SELECT run_id FROM {doubts.name} WHERE {IN_SCOPE})
"""


class Lookback(ABC):
    """The part of a store that tells what was there before from what came later."""

    _scope: dict[str, str]

    @abstractmethod
    def _rows(self, table: Table, *, order: str = "", since: int = ..., **where: str) -> Sequence[Row]: ...

    @abstractmethod
    def _write(self, work: Callable[[Connection], Result], *, ends: int | None = None) -> Result: ...

    def _one(self, address: Address) -> dict[str, str]:
        """Return what selects the rows of one object."""
        return {**self._scope, "kind": address.kind, "name": address.name}

    def record_baseline(self, run_id: str, ids: Mapping[tuple[str, str], Collection[str]]) -> None:
        """Record which ids were live, by connection and kind, before a run creates anything there."""
        rows = [
            {**self._scope, "run_id": run_id, "connection": place[0], "kind": place[1], "ids": sorted(found)}
            for place, found in sorted(ids.items())
        ]

        def work(connection: Connection) -> None:
            connection.delete(baselines, {**self._scope, "run_id": run_id})
            for row in rows:
                connection.insert(baselines, row)

        if rows:
            self._write(work)

    def baselines(self) -> Mapping[tuple[str, str, str], frozenset[str]]:
        """Return the recorded baselines, by run, connection and kind."""
        return {(row["run_id"], row["connection"], row["kind"]): frozenset(row["ids"]) for row in self._rows(baselines)}

    def prune(self) -> None:
        """Remove the baselines of runs that left no open intent and no doubt."""
        self._write(self._prune)

    def _prune(self, connection: Connection) -> None:
        connection.run(_UNNEEDED, self._scope)

    def doubts(self) -> tuple[Intent, ...]:
        """Return the creates of unknown result that were settled, oldest first."""
        return tuple(map(doubt_of, self._rows(doubts, order="started_at, kind, name", since=DOUBTS_SINCE)))

    def close_call(self, number: int, *, pending_until: str = "", confirmed: bool = False) -> None:
        """Record until when the call of an intent may still be processed, or that the server `confirmed` it."""

        def work(connection: Connection) -> None:
            if confirmed:
                statements.confirm(connection, number)
            else:
                connection.update(intents, {"number": number}, {"pending_until": pending_until})

        self._write(work, ends=number)

    def extend(self, number: int, pending_until: str) -> None:
        """Record that an intent's call starts later than was thought; ReconcilerError where another run settled it."""

        def work(connection: Connection) -> None:
            if not statements.extend(connection, number, pending_until):
                message = "another run already completed this change, so the call is not sent"
                raise ReconcilerError(message, hint="plan again")

        self._write(work)

    def settle(self, address: Address) -> None:
        """Delete every open intent of an address and the note that it expired: the live system was read.

        What a create of unknown result sent is kept: the server may still execute it.
        """
        self._write(lambda connection: self._settle(connection, address))

    def _settle(self, connection: Connection, address: Address) -> None:
        ended = statements.settle(connection, self._one(address))
        self._keep(connection, [row for row in ended if row["effect"] == "create"])
        connection.delete(forgotten, self._one(address))

    def keep_doubts(self, found: Sequence[Intent]) -> None:
        """Record doubts about objects; one of the same run and object is replaced."""
        if found:
            self._write(lambda connection: self._keep(connection, [intent_values(item) for item in found]))

    def _keep(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Keep creates of unknown result, which were open intents."""
        for row in rows:
            key = {name: row[name] for name in ("run_id", "kind", "name")}
            connection.delete(doubts, {**self._scope, **key})
            connection.insert(doubts, {**self._scope, **{name: row[name] for name in statements.KEPT}})

    def end_doubts(self, address: Address) -> None:
        """Remove the doubts about an object: a person decided."""
        self._write(lambda connection: connection.delete(doubts, self._one(address)))

    def expire_doubts(self, before: str, *, without: Collection[Address] = ()) -> None:
        """Remove the doubts about creates that were sent before an instant, except those of some objects."""
        old = [item for item in self.doubts() if item.started_at < before and item.address not in without]

        def work(connection: Connection) -> None:
            for item in old:
                connection.delete(doubts, {**self._one(item.address), "started_at": item.started_at})

        if old:
            self._write(work)

    def _clear_doubts(self, connection: Connection, source: Address, target: Address) -> None:
        """Delete the doubts that those of `source` replace once it is renamed."""
        for row in list(connection.select(doubts, self._one(source), columns=["run_id"])):
            connection.delete(doubts, {**self._one(target), **row})

    def seen(self) -> Mapping[tuple[str, str], frozenset[str]]:
        """Return the ids of unmanaged objects that were seen and are no duplicates, by target and kind."""
        rows = self._rows(seen, since=DOUBTS_SINCE)
        return {(row["target"], row["kind"]): frozenset(row["ids"]) for row in rows}

    def record_seen(self, ids: Mapping[tuple[str, str], Collection[str]]) -> None:
        """Replace the ids that were seen, by target and kind."""

        def work(connection: Connection) -> None:
            for (target, kind), found in sorted(ids.items()):
                key = {**self._scope, "target": target, "kind": kind}
                connection.delete(seen, key)
                connection.insert(seen, {**key, "ids": sorted(found)})

        if ids:
            self._write(work)
