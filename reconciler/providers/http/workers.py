"""The threads of one connection."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from typing import TypeVar, cast

Item = TypeVar("Item")
Result = TypeVar("Result")


class Workers:
    """Threads that work on items together. Each takes the next one itself: a future for each would cost more."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._pool = ThreadPoolExecutor(number, thread_name_prefix="reconciler-http")
        self._closed = False

    def gather(self, function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """Return `function` of every item, in item order; the first exception in item order once all have finished."""
        todo = deque(range(len(items)))
        results: list[Result | None] = [None] * len(items)
        errors: dict[int, BaseException] = {}

        def work() -> None:
            while todo and not self._closed:
                try:
                    place = todo.popleft()
                except IndexError:  # another thread took the last one
                    return
                try:
                    results[place] = function(items[place])
                except BaseException as error:  # noqa: BLE001 - raised below
                    errors[place] = error

        working = [self._pool.submit(work) for _ in range(min(self._number, len(items)))]
        try:
            for worker in working:  # `wait` never returns for those that are cancelled when this is closed
                worker.exception()
        except BaseException:  # an interrupt by the user: nothing more must start
            todo.clear()
            raise
        if errors:
            raise errors[min(errors)]
        if todo:
            raise CancelledError
        return cast("list[Result]", results)

    def close(self) -> None:
        """Let the threads end with what they work on now."""
        self._closed = True
        self._pool.shutdown(cancel_futures=True)
