"""How long a run may take."""

from __future__ import annotations

import math
import time
from collections.abc import Callable


class TimeLimit:
    """The end of a run: once it is over, no call starts. Without `seconds` it never is."""

    def __init__(
        self,
        seconds: float | None = None,
        *,
        words: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._ends = math.inf if seconds is None else clock() + seconds
        self.words = words or f"the time limit of the run ({seconds or 0:g} s) was over"
        """For people: why a call was not sent."""

    def left(self) -> float:
        """Return the seconds that are left, at least 0."""
        return max(self._ends - self._clock(), 0.0)

    @property
    def over(self) -> bool:
        """Whether nothing may start any more."""
        return self.left() <= 0
