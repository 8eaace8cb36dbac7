"""The holder of a lease: this process, and when another holder counts as dead.

No clock that can be set decides. A clock may step, and two copies of one virtual machine agree on their host
name, their boot and their process numbers. What a clock or a process number says makes a holder look dead; it is dead
when its heartbeat does not move while this process watches. A lock of the system (`process_lock`) needs no watching.
"""

from __future__ import annotations

import getpass
import os
import socket
from pathlib import Path
from time import monotonic

from msgspec import Struct
from msgspec.structs import replace

from reconciler.model.canonical import now
from reconciler.model.characters import storable
from reconciler.model.objects import Lease

EXPIRY = 90.0
"""Seconds without a heartbeat after which a holder counts as dead: several missed beats."""

QUIET = 20.0
"""Seconds without a heartbeat after which a holder counts as dead that looked dead from the start."""

_LONGEST = 255
"""Characters of a user's name that are recorded: the environment can state any."""

_LARGEST_PID = 2**31 - 1

_ENDED = frozenset({b"Z", b"X"})
"""States of a process that has ended, and that its parent has not asked about."""


def myself(run_id: str) -> Lease:
    """Return a lease for this process. The store sets `beat` and `expires` by the clock of the state."""
    try:
        holder = getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        holder = str(os.getuid()) if hasattr(os, "getuid") else "unknown"
    return Lease(
        run_id=run_id,
        holder=storable(holder)[:_LONGEST],
        host=socket.gethostname(),
        pid=os.getpid(),
        since=now(),
        beat=0.0,
        machine=" ".join(part for part in (_machine(), _started(os.getpid()) or "") if part),
    )


class _Seen(Struct, frozen=True, kw_only=True):
    """The last heartbeat of a run that this process has seen."""

    beat: float
    since: float
    """When it was first seen, by this process's own clock."""
    moved: bool = False
    """Whether an earlier one was seen: the run lived a moment ago, and does not only look dead."""


class Watch:
    """What this process has seen of other holders."""

    def __init__(self, pace: float = 1.0) -> None:
        """`pace`: how many times longer than in a database everything takes."""
        self._pace = pace
        self.suspects = False
        """Whether the holder that was judged last looks dead, and only has to be watched until that is sure."""
        self._seen: dict[str, _Seen] = {}

    def dead(self, held: Lease, moment: float, *, ended: bool | None) -> bool:
        """Return whether a holder is dead at `moment` of the state's clock.

        `ended`: whether its process released its lock; None where there is no lock. Such locks end with a process, but
        only the machine that holds one is sure to know about it.
        """
        self.suspects = False
        lives = process_lives(held)
        if ended and _same_boot(held):
            return True
        if ended is False or lives:
            return False
        seen = self._look(held)
        self.suspects = not seen.moved and (moment >= held.expires or lives is False)
        return monotonic() - seen.since >= self._pace * (QUIET if self.suspects else EXPIRY)

    def _look(self, held: Lease) -> _Seen:
        seen = self._seen.get(held.run_id)
        if seen is None or seen.beat != held.beat:
            # This clock stands still while the machine sleeps: a holder that slept too gets time to wake up.
            fresh = _Seen(beat=held.beat, since=monotonic())
            self._seen[held.run_id] = seen = fresh if seen is None else replace(fresh, moved=True)
        return seen


def process_lives(held: Lease) -> bool | None:
    """Return whether the process of a holder exists; None where this process cannot tell.

    A number is used again. So only one with the same start is the same process.
    """
    boot, numbers, start = [*held.machine.split(" "), "", "", ""][:3]  # an older version did not record the start
    if not boot or f"{boot} {numbers}" != _machine() or held.host != socket.gethostname():
        return None
    started = _started(held.pid)
    if not started:
        return None if started is None else False
    return started == start if start else None


def _same_boot(held: Lease) -> bool:
    """Return whether a holder runs, or ran, on this machine since it was started, in any of its containers."""
    mine = _machine().partition(" ")[0]
    return held.machine.partition(" ")[0] == mine if mine else held.host == socket.gethostname()


def _machine() -> str:
    """Return an identifier of this boot and its process numbers; empty if the system has none.

    A host name is not enough: two laptops or containers may share one.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"  # noqa: PTH115 - a name that the kernel gives, not a path
    except OSError:
        return ""


def is_stopped(pid: int) -> bool:
    """Return whether a process of this machine is suspended, as by Ctrl-Z in a terminal."""
    return _stat(pid)[:1] == [b"T"]


def _started(pid: int) -> str | None:
    """Return when a process started, in ticks since the boot; empty if there is none, None where that is not known."""
    fields = _stat(pid)
    if fields:
        return "" if fields[0] in _ENDED else fields[19].decode()
    return "" if _absent(pid) else None  # processes of other users may be hidden


def _stat(pid: int) -> list[bytes]:
    """Return what Linux says of a process: its state first, and 19 fields later when it started."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b") ")[2].split()
    except OSError:
        return []


def _absent(pid: int) -> bool:
    if os.name != "posix" or not 0 < pid <= _LARGEST_PID:  # elsewhere signal 0 may end a process
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
