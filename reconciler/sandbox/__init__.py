"""Emulators of the remote booking systems, on loopback and one port, for trying out and for tests.

Nothing here is shared with the kinds or providers: a mistake on both sides would cancel itself out.
What the documents state is fixed; every choice that they leave open is a field of `Options`.

`Options`, `Fault` and `LogEntry` cost only the standard library; `Sandbox` and `serve`, which need
Starlette and uvicorn (the `sandbox` extra), are loaded when first asked for.
"""

from typing import TYPE_CHECKING, Any

from reconciler.sandbox.faults import Fault
from reconciler.sandbox.options import Options
from reconciler.sandbox.request_log import LogEntry

if TYPE_CHECKING:
    from reconciler.sandbox.server import Sandbox, serve

__all__ = ["Fault", "LogEntry", "Options", "Sandbox", "serve"]


def __getattr__(name: str) -> Any:
    """Load the server side on first use, so that reading the options never imports it."""
    if name not in {"Sandbox", "serve"}:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from reconciler.sandbox import server  # noqa: PLC0415 - kept out of the import of this package

    return getattr(server, name)
