"""Emulators of the remote booking systems for experiments and tests. They listen on one loopback port.

The sandbox shares no code with kinds and providers: the same mistake on both sides would go unnoticed.
Documented behaviour is fixed. Each undocumented behaviour is an option in `Options`.

`Options`, `Fault` and `LogEntry` need only the standard library. `Sandbox`, `Emulator` and `serve` need Starlette
and uvicorn (the `sandbox` extra) and are loaded on first use.
"""

from typing import TYPE_CHECKING

from reconciler.sandbox.faults import Fault
from reconciler.sandbox.identity import credentials, with_own_credentials
from reconciler.sandbox.options import Options
from reconciler.sandbox.request_log import LogEntry

if TYPE_CHECKING:
    from reconciler.sandbox.server import Emulator, Sandbox, occupant, serve

__all__ = [
    "Emulator",
    "Fault",
    "LogEntry",
    "Options",
    "Sandbox",
    "credentials",
    "occupant",
    "serve",
    "with_own_credentials",
]


if not TYPE_CHECKING:  # a type checker would accept every name

    def __getattr__(name: str) -> object:
        """Load the server on first use: reading the options must not import it."""
        if name not in {"Emulator", "Sandbox", "occupant", "serve"}:
            msg = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(msg)
        from reconciler.sandbox import server  # noqa: PLC0415 - kept out of the import of this package

        value: object = getattr(server, name)
        return value
