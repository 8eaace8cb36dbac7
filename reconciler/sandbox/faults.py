"""Faults that can be asked for: what a network or a tired server does to a client.

This module decides which fault fires for which request; `gate` carries it out.
"""

from __future__ import annotations

import re
import threading
from dataclasses import asdict, dataclass
from typing import Any, Self

KINDS = (
    "latency",  # the answer comes `seconds` late
    "hold",  # the request waits until the faults are cleared, `seconds` at most
    "status_before",  # `status` is answered, nothing is executed
    "status_after",  # the request is executed, then `status` is answered
    "page_before",  # 200 with an HTML page, as of a proxy that closes for maintenance; nothing is executed
    "drop_before",  # the connection is closed without an answer, nothing is executed
    "drop_after",  # the request is executed, then the connection is closed without an answer
    "truncate",  # executed; the body stops mid-way while Content-Length promises all of it
    "garbage",  # executed; 200 with an HTML page, or with bytes if `binary`
    "slow_body",  # executed; the body trickles in over `seconds`
    "huge",  # executed; 200 with `size` bytes of white space in the right content type
    "wrong_type",  # executed; well-formed, but of another shape: a JSON list, another XML root
)

DELAYS = ("latency", "hold")
"""The kinds that come before another one, since they only take time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault, and when it fires.

    It fires for requests whose method is `match_method` and whose path is found by the regular
    expression `match_path` (None: any), after letting `after` of them pass, `times` times (None: for
    ever). `retry_after` is sent as Retry-After as it stands: seconds or an HTTP date.
    """

    kind: str
    match_method: str | None = None
    match_path: str | None = None
    times: int | None = 1
    after: int = 0
    seconds: float = 0.2
    status: int = 503
    retry_after: int | str | None = None
    size: int = 1_000_000
    binary: bool = False

    def __post_init__(self) -> None:
        """Refuse what could never fire, or could never end."""
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
        """Build a fault from a JSON object; raises ValueError for what is not a fault."""
        try:
            return cls(**values)
        except TypeError as error:
            msg = f"not a fault: {error}"
            raise ValueError(msg) from error

    def matches(self, method: str, path: str) -> bool:
        """Say whether a request is one that this fault looks for."""
        if self.match_method is not None and self.match_method.upper() != method:
            return False
        return self.match_path is None or re.search(self.match_path, path) is not None


@dataclass(slots=True)
class _Armed:
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
    """The faults in waiting, in the order in which they were asked for."""

    def __init__(self) -> None:
        self._armed: list[_Armed] = []
        self._cleared = 0
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Arm a fault."""
        with self._lock:
            self._armed.append(_Armed(fault))

    def clear(self) -> None:
        """Disarm all, and let go what is held."""
        with self._lock:
            self._armed.clear()
            self._cleared += 1

    @property
    def cleared(self) -> int:
        """How often they were cleared: what is held waits for the next time."""
        with self._lock:
            return self._cleared

    def take(self, method: str, path: str) -> list[Fault]:
        """Return what hits this request: any latencies and holds, and at most one fault of another kind."""
        hits: list[Fault] = []
        with self._lock:
            for armed in self._armed:
                if armed.fault.matches(method, path) and armed.fires():
                    hits.append(armed.fault)
                    if armed.fault.kind not in DELAYS:
                        break
        return hits

    def as_dicts(self) -> list[dict[str, Any]]:
        """Return each fault with how often it has fired, as plain JSON values."""
        with self._lock:
            return [{**asdict(armed.fault), "fired": armed.fired} for armed in self._armed]
