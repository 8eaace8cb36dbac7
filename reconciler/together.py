"""What several threads want of one slow thing, done for all of them by whichever thread comes first."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Generic, TypeVar

from msgspec import Struct


class Job(Struct, eq=False):
    """What one thread wants, and what became of it."""

    error: BaseException | None = None
    done: bool = False
    """Whether this is final."""


Wanted = TypeVar("Wanted", bound=Job)


class Together(Generic[Wanted]):
    """The jobs that wait; safe to use from several threads.

    Those that come while others are done are done next, together. No thread goes on before its own is done.
    """

    def __init__(
        self,
        lock: AbstractContextManager[Any],
        lead: Callable[[list[Wanted]], None],
        gather: Callable[[], None] = lambda: None,
    ) -> None:
        """Take the lock that is held meanwhile, and what does several jobs and sets `done` of each.

        `gather` waits a little for jobs of other threads.
        """
        self._lock, self._lead, self._gather = lock, lead, gather
        self._waiting: list[Wanted] = []
        self._waits = threading.Lock()

    def run(self, job: Wanted) -> Wanted:
        """Return the job once it is done; raise its error, if it has one."""
        with self._waits:
            self._waiting.append(job)
        try:
            with self._lock:
                if not job.done:
                    self._gather()
                    self._take(job)
        except BaseException:  # a signal: the caller does not expect it to run later
            with self._waits:
                self._waiting = [item for item in self._waiting if item is not job]
            raise
        if job.error is not None:
            raise job.error
        return job

    def _take(self, own: Wanted) -> None:
        """Do all that wait. If this thread is interrupted, another one takes over what is left.

        That includes `own`, also where an interrupted thread took it and could not give it back.
        """
        jobs: list[Wanted] = []
        try:
            with self._waits:
                jobs, self._waiting = self._waiting, []
            if own not in jobs:
                jobs.append(own)
            self._lead(jobs)
        finally:
            with self._waits:
                self._waiting[:0] = [job for job in jobs if not job.done and job not in self._waiting]
