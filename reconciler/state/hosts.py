"""The hosts that a project and environment has sent credentials to, as far as its runs wrote."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from reconciler.model.canonical import now
from reconciler.state.connection import Connection, adding
from reconciler.state.rows import Row
from reconciler.state.schema import Table, hosts

_ADD = f"{adding(hosts.name, list(hosts.columns))} ON CONFLICT DO NOTHING"
"""Keeps what another run recorded. That run may not have committed it yet, so that it cannot be looked for."""


class Rows(Protocol):
    """Reads a table; nothing is found in a state from before version `since`."""

    def __call__(self, table: Table, *, since: int) -> Sequence[Row]:
        """Return the rows of a project and environment."""
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
        return frozenset(row["origin"] for row in self._rows(hosts, since=2))

    def add(self, run_id: str, origins: Collection[str]) -> None:
        """Record the hosts of a run that are new."""

        def work(connection: Connection) -> None:
            for origin in sorted(origins):
                connection.run(_ADD, {**self._scope, "origin": origin, "run_id": run_id, "since": now()})

        self._write(work)
