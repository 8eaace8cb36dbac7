"""Who this process is as the holder of a lease, and when another holder counts as dead."""

from __future__ import annotations

import getpass
import os
import socket
from pathlib import Path

from reconciler.model.canonical import now
from reconciler.model.objects import Lease

EXPIRY = 90.0
"""Seconds without a sign of life after which a holder counts as dead: several missed beats, not one."""


def myself(run_id: str) -> Lease:
    """Return this process as a holder; the state's clock fills in `beat` and `expires`."""
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
    """Tell a holder that shows no sign of life at `moment`, or whose process this one could see and does not.

    `one_host` says that the state is a file: every program that opens it is taken to run on this machine.
    """
    if moment >= held.expires:
        return True
    mine = _machine()
    seen = held.machine == mine if mine and held.machine else one_host
    return seen and held.host == socket.gethostname() and not _alive(held.pid)


def _machine() -> str:
    """Return what tells this boot and its process numbers from any other's, empty where the system does not say.

    A host's name does not: two laptops or containers may share one.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"  # noqa: PTH115 - no path, a name of the kernel's
    except OSError:
        return ""


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # somebody else's process, or a system that cannot tell: only time tells then
    return True
