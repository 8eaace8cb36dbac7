"""Faults on demand: what a client sees when a network or a server fails.

This module decides which fault fires for which request. `middleware` injects it.
"""

from __future__ import annotations

import re
import threading
from typing import Any, Self

from msgspec import Struct
from msgspec.structs import asdict

KINDS = (
    "latency",  # the answer is delayed by `seconds`
    "hold",  # the request waits until the faults are cleared, at most `seconds`
    "status_before",  # `status` is returned; the request is not executed
    "status_after",  # the request is executed, then `status` is returned
    "refusal_before",  # 200 with an error in the body, in the format of the API; the request is not executed
    "shift_before",  # before it, the first object of the list is deleted and another one is added; then executed
    "page_before",  # 200 with an HTML page, like a maintenance page of a proxy; the request is not executed
    "status_early",  # `status` is returned at once; executed after `seconds`, or once the faults are cleared
    "drop_early",  # the same with a closed connection instead of an answer
    "drop_before",  # the connection is closed without an answer; the request is not executed
    "drop_after",  # the request is executed, then the connection is closed without an answer
    "truncate",  # executed; the body ends early although Content-Length announces all of it
    "garbage",  # executed; 200 with an HTML page, or with bytes if `binary`
    "hold_answer",  # executed; the answer waits until the faults are cleared, at most `seconds`
    "slow_body",  # executed; the body arrives slowly over `seconds`
    "huge",  # executed; 200 with `size` bytes of white space in the right content type
    "wrong_type",  # executed; well-formed but unexpected: a JSON list, another XML root
)

DELAYS = ("latency", "hold")
"""Kinds that only delay the request. Another fault can follow them."""


class Fault(Struct, frozen=True, kw_only=True):
    """One fault, and the requests for which it fires."""

    kind: str
    """One of `KINDS`."""

    match_method: str | None = None
    """The method of the request; None means any."""

    match_path: str | None = None
    """A regular expression to search in the path; None means any."""

    times: int | None = 1
    """How many times it fires; None means always."""

    after: int = 0
    """The number of matching requests before the first one that it hits."""

    seconds: float = 0.2
    """The duration of `latency`, `slow_body` and the holds, and the delay of `status_early` and `drop_early`."""

    status: int = 503
    """The status of `status_before`, `status_after` and `status_early`."""

    retry_after: int | str | None = None
    """The header Retry-After of that status, unchanged: seconds or an HTTP date."""

    size: int = 1_000_000
    """The number of bytes of `huge`."""

    binary: bool = False
    """Whether `garbage` is bytes instead of an HTML page."""

    def __post_init__(self) -> None:
        """Refuse invalid values."""
        if self.kind not in KINDS:
            msg = f"fault kind must be one of {', '.join(KINDS)}; got {self.kind!r}"
            raise ValueError(msg)
        largest = 1 << 28
        if not (0 <= self.size <= largest and self.seconds >= 0 and self.after >= 0):
            msg = f"fault {self.kind}: size must be 0..{largest}, seconds and after must not be negative"
            raise ValueError(msg)
        if self.match_path is not None:
            try:
                re.compile(self.match_path)
            except re.error as error:
                msg = f"fault {self.kind}: match_path {self.match_path!r} is not a regular expression: {error}"
                raise ValueError(msg) from error

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Build a fault from a JSON object; ValueError if it is not one."""
        try:
            return cls(**values)
        except TypeError as error:
            msg = f"not a fault: {error}"
            raise ValueError(msg) from error

    def matches(self, method: str, path: str) -> bool:
        """Return whether the fault applies to a request."""
        if self.match_method is not None and self.match_method.upper() != method:
            return False
        return self.match_path is None or re.search(self.match_path, path) is not None


class _Armed(Struct):
    fault: Fault
    seen: int = 0
    fired: int = 0

    def fires(self) -> bool:
        self.seen += 1
        if self.seen <= self.fault.after:
            return False
        if self.fault.times is not None and self.fired >= self.fault.times:
            return False
        self.fired += 1
        return True


class FaultList:
    """The armed faults, in the order in which they were added."""

    def __init__(self) -> None:
        self._armed: list[_Armed] = []
        self._cleared = 0
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Arm a fault."""
        with self._lock:
            self._armed.append(_Armed(fault))

    def clear(self) -> None:
        """Disarm all faults and release held requests."""
        with self._lock:
            self._armed.clear()
            self._cleared += 1

    @property
    def cleared(self) -> int:
        """How many times the faults were cleared. A held request waits until this number changes."""
        with self._lock:
            return self._cleared

    def take(self, method: str, path: str) -> list[Fault]:
        """Return the faults for this request: all delays, and at most one fault of another kind."""
        hits: list[Fault] = []
        with self._lock:
            for armed in self._armed:
                if armed.fault.matches(method, path) and armed.fires():
                    hits.append(armed.fault)
                    if armed.fault.kind not in DELAYS:
                        break
        return hits

    def as_dicts(self) -> list[dict[str, Any]]:
        """Return each fault as plain JSON values, with the number of times it has fired."""
        with self._lock:
            return [{**asdict(armed.fault), "fired": armed.fired} for armed in self._armed]
