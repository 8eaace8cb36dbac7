"""Every exit code, once."""

from __future__ import annotations

from enum import IntEnum

from reconciler.errors import Interrupted, OutOfTime, Refused, StalePlan, UsageError


class Exit(IntEnum):
    """How a command ends."""

    DONE = 0
    """Done, or nothing to change."""
    ERROR = 1
    """An error; nothing, or nothing more, was written."""
    CHANGES = 2
    """There are changes: `plan --detailed-exitcode`, or `drift`."""
    INCOMPLETE = 3
    """Apply ended with objects failed, blocked or unknown; the report names them."""
    REFUSED = 4
    """A guard or the policy refused the plan before the first write, or apply would: `plan --detailed-exitcode`."""
    STALE = 5
    """The saved plan is stale; nothing was written."""
    USAGE = 64
    """Wrong usage of the command line."""
    INTERRUPTED = 130
    """Interrupted; calls in flight were finished and recorded."""


_OF_ERRORS = {
    UsageError: Exit.USAGE,
    Refused: Exit.REFUSED,
    StalePlan: Exit.STALE,
    OutOfTime: Exit.ERROR,  # also an Interrupted: the first that fits counts
    Interrupted: Exit.INTERRUPTED,
}


def exit_of(error: Exception) -> Exit:
    """Return the exit code of a command that ends with an error."""
    return next((code for kind, code in _OF_ERRORS.items() if isinstance(error, kind)), Exit.ERROR)
