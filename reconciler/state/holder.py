"""The holder of a lease: this process, and when another holder counts as dead."""

from __future__ import annotations

import getpass
import os
import socket
from pathlib import Path

from reconciler.model.canonical import now
from reconciler.model.objects import Lease

EXPIRY = 90.0
"""Seconds without a heartbeat after which a holder counts as dead: several missed beats."""


def myself(run_id: str) -> Lease:
    """Return a lease for this process. The store sets `beat` and `expires` by the clock of the state."""
    try:
        holder = getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        holder = str(os.getuid()) if hasattr(os, "getuid") else "unknown"
    return Lease(
        run_id=run_id,
        holder=holder,
        host=socket.gethostname(),
        pid=os.getpid(),
        since=now(),
        beat=0.0,
        machine=_machine(),
    )


def dead(held: Lease, moment: float, *, one_host: bool) -> bool:
    """Return whether a holder has expired at `moment`, or its process no longer exists, if this one could see it.

    `one_host`: the state is a file, so every program that opens it is assumed to run on this machine.
    """
    if moment >= held.expires:
        return True
    mine = _machine()
    seen = held.machine == mine if mine and held.machine else one_host
    return seen and held.host == socket.gethostname() and not _alive(held.pid)


def _machine() -> str:
    """Return an identifier of this boot and its process numbers; empty if the system has none.

    A host name is not enough: two laptops or containers may share one.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"  # noqa: PTH115 - a name that the kernel gives, not a path
    except OSError:
        return ""


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # another user's process, or unknown: then only time decides
    return True
