"""Transactions of several threads, committed together by one of them: a commit takes longer than what it commits."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection

Result = TypeVar("Result")


@dataclass(slots=True)
class Job:
    """One transaction of a thread, and what became of it."""

    work: Callable[[Connection], Any]
    as_is: bool
    """Whether it leaves the version of the state as it is."""
    result: Any = None
    error: BaseException | None = None
    changed: bool = False
    """Whether its last try changed anything."""
    done: bool = False
    """Whether `result` or `error` is final."""


class Together:
    """The transactions that wait; safe to use from several threads.

    Those that come while one is committed are committed next, as one. No thread goes on before its own is durable.
    """

    def __init__(
        self,
        lock: AbstractContextManager[Any],
        lead: Callable[[list[Job]], None],
        gather: Callable[[], None] = lambda: None,
    ) -> None:
        """Take the lock that is held during a commit, and what commits several transactions and ends each of them.

        `gather` waits a little for transactions of other threads.
        """
        self._lock, self._lead, self._gather = lock, lead, gather
        self._waiting: list[Job] = []
        self._waits = threading.Lock()

    def run(self, work: Callable[[Connection], Result], *, as_is: bool = False) -> Result:
        """Return the result of a transaction, once it is durable."""
        job = Job(work=work, as_is=as_is)
        with self._waits:
            self._waiting.append(job)
        try:
            with self._lock:
                if not job.done:
                    self._gather()
                    self._take()
        except BaseException:  # a signal: the caller does not expect it to run later
            with self._waits:
                self._waiting = [item for item in self._waiting if item is not job]
            raise
        if job.error is not None:
            raise job.error
        result: Result = job.result
        return result

    def _take(self) -> None:
        """Commit all that wait. If this thread is interrupted, another one takes over what is left."""
        with self._waits:
            jobs, self._waiting = self._waiting, []
        try:
            self._lead(jobs)
        finally:
            with self._waits:
                self._waiting[:0] = [job for job in jobs if not job.done]
