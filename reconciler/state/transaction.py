"""One transaction of a thread, which is committed together with those of other threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reconciler import together
from reconciler.state.connection import Connection


class Job(together.Job, eq=False, kw_only=True):
    """One transaction of a thread, and what became of it."""

    work: Callable[[Connection], Any]
    as_is: bool = False
    """Whether it leaves the version of the state as it is."""
    result: Any = None
    changed: bool = False
    """Whether its last try changed anything."""
