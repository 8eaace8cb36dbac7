"""What an error of a database means: whether the same transaction may succeed later, and what to tell a person."""

from __future__ import annotations

import sqlite3

from reconciler.state.connection import DatabaseError

_AGAIN = frozenset({"40001", "40P01", "57P01", "57P02", "57P03"})
"""SQLSTATEs after which the same transaction can be retried: conflicts, and a server that stops or starts."""

_LOST = "08"
"""The class of SQLSTATEs of a connection that was lost, also between a pooler and its server."""

DENIED = frozenset({"25006", "42501"})
"""SQLSTATEs of a write on a read-only server or without the right to write."""

DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def passing(error: BaseException) -> bool:
    """Return whether the same transaction may succeed later."""
    if not isinstance(error, DatabaseError):
        return False
    state = getattr(error.cause, "sqlstate", None)
    refused = error.is_operational and state is None and not isinstance(error.cause, sqlite3.Error)
    return error.lost or state in _AGAIN or refused or str(state).startswith(_LOST)


def words(error: BaseException) -> str:
    """Return the first line of what the database or the system says."""
    cause = getattr(error, "cause", None) or error
    return getattr(cause, "strerror", None) or str(cause).split("\n", maxsplit=1)[0]
