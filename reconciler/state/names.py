"""The names of managed objects, read from an SQLite file in milliseconds: for completion in a shell."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

_STEPS = 2_000_000
"""Steps of SQLite's machine at most: the file may be anybody's, with a view that never ends."""


def recorded(file: Path, project: str, environment: str | None) -> list[str]:
    """Return the addresses that a state records; sqlite3.Error where the file is none.

    Nothing is written beside it, and no lock is waited for.
    """
    log = file.with_name(f"{file.name}-wal")
    mode = "mode=ro" if log.exists() and log.stat().st_size else "mode=ro&immutable=1"
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?{mode}", uri=True, timeout=0)) as connection:
        connection.set_progress_handler(lambda: 1, _STEPS)
        query = "SELECT kind, name FROM reconciler_objects WHERE project = ? AND environment = ? LIMIT 20000"
        return [f"{kind}/{name}" for kind, name in connection.execute(query, (project, environment or ""))]
