"""The runs that wrote: which command, by whom, from which plan, and how each ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from reconciler.model.canonical import now
from reconciler.model.objects import PastRun
from reconciler.state.connection import Connection
from reconciler.state.holder import myself
from reconciler.state.lookback import Lookback
from reconciler.state.rows import past_run_of
from reconciler.state.schema import runs

if TYPE_CHECKING:
    from reconciler.state.database import Database
    from reconciler.state.git.database import GitDatabase


class PastRuns(Lookback):
    """The part of a store that records runs."""

    _database: Database | GitDatabase

    def begin_run(
        self, run_id: str, command: str, *, plan_digest: str | None = None, context: Mapping[str, str] | None = None
    ) -> None:
        """Record that a run starts to write, its plan, and who started it: the user, the host and the `context`."""
        mine = {**self._scope, "run_id": run_id}
        process = myself(run_id)
        by = {"holder": process.holder, "host": process.host, **(context or {})}
        values = {"command": command, "plan_digest": plan_digest, "started_at": now(), "context": by}

        def work(connection: Connection) -> None:
            connection.delete(runs, mine)
            connection.insert(runs, {**mine, **values})

        self._write(work)

    def end_run(self, run_id: str, ended: str, *, unused: bool = False) -> None:
        """Record how a run ended: `done`, `incomplete`, `interrupted` or `failed`.

        `unused`: it wrote nothing, so its plan can still be applied.
        """
        values = {"ended_at": now(), "ended": ended, **({"plan_digest": None} if unused else {})}
        self._database.write(lambda connection: connection.update(runs, {**self._scope, "run_id": run_id}, values))

    def run_count(self) -> int:
        """Return the number of runs that wrote or started to: it distinguishes plans of the same content."""
        return self._database.read(lambda connection: connection.count(runs, self._scope), empty=0)

    def past_runs(self) -> Mapping[str, PastRun]:
        """Return every run that wrote or started to, by its id, oldest first."""
        return {row["run_id"]: past_run_of(row) for row in self._rows(runs, order="started_at, run_id")}

    def applied(self, plan_digest: str) -> PastRun | None:
        """Return the run that applied a plan or started to; None if there is none."""
        rows = self._rows(runs, order="started_at", plan_digest=plan_digest)
        return past_run_of(rows[0]) if rows else None
