"""The hosts that a project and environment has sent credentials to, as far as its runs wrote."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy import Connection, Row, Select, insert, select

from reconciler.model.canonical import now
from reconciler.state.schema import hosts, in_scope


class Rows(Protocol):
    """Runs a query; nothing is found in a state from before version `since`."""

    def __call__(self, query: Select[Any], *, since: int) -> Sequence[Row[Any]]:
        """Return the rows."""
        ...


class Hosts:
    """The recorded hosts, as origins such as `https://uk.bookingbug.com`."""

    def __init__(
        self, scope: Mapping[str, str], rows: Rows, write: Callable[[Callable[[Connection], None]], None]
    ) -> None:
        self._scope = dict(scope)
        self._rows = rows
        self._write = write

    def known(self) -> frozenset[str]:
        """Return every recorded host."""
        return frozenset(str(row.origin) for row in self._rows(self._query(), since=2))

    def add(self, run_id: str, origins: Collection[str]) -> None:
        """Record the hosts of a run that are new."""

        def work(connection: Connection) -> None:
            known = set(connection.execute(self._query()).scalars())
            for origin in sorted(set(origins) - known):
                row = {**self._scope, "origin": origin, "run_id": run_id, "since": now()}
                connection.execute(insert(hosts).values(row))

        self._write(work)

    def _query(self) -> Select[Any]:
        return select(hosts.c.origin).where(in_scope(hosts, self._scope))
