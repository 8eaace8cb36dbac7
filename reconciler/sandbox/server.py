"""Run the sandbox: in a thread for tests (`Sandbox`), or as the process (`serve`)."""

from __future__ import annotations

import errno
import socket
import sqlite3
import threading
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Any, Self

import uvicorn

from reconciler.sandbox import backdoor
from reconciler.sandbox.app import build
from reconciler.sandbox.checkfront import backdoor as holds_backdoor
from reconciler.sandbox.company import Company
from reconciler.sandbox.connection import ClosableProtocol
from reconciler.sandbox.control import PREFIX
from reconciler.sandbox.middleware import App, Middleware
from reconciler.sandbox.options import Options
from reconciler.sandbox.seeds import fill

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from reconciler.sandbox.faults import Fault
    from reconciler.sandbox.request_log import LogEntry

_HOST, _HOST_IPV6 = "127.0.0.1", "::1"
_START_TIMEOUT = 30.0
_ASKING = 5.0


class _Server(uvicorn.Server):
    """A uvicorn server that logs the calls, injects faults, and calls `on_ready` when it accepts connections."""

    def __init__(self, app: App, company: Company, on_ready: Callable[[], None]) -> None:
        config = uvicorn.Config(
            Middleware(app, company, private=PREFIX),
            http=ClosableProtocol,
            ws="none",
            lifespan="off",
            loop="asyncio",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=1,
            timeout_keep_alive=60,
            proxy_headers=False,
        )
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then call `on_ready`."""
        await super().startup(sockets)
        self._on_ready()


def _listen(port: int) -> socket.socket:
    """Bind the port before anything starts; OSError if it is in use, also for IPv6 alone.

    A client that connects to `localhost` may try IPv6 first, and would reach the other program.
    """
    while True:
        # asyncio disables Nagle's algorithm (40 ms per request) only on sockets created with IPPROTO_TCP.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            # On Windows, SO_REUSEADDR would share the port with another program.
            exclusive = getattr(socket, "SO_EXCLUSIVEADDRUSE", socket.SO_REUSEADDR)
            listener.setsockopt(socket.SOL_SOCKET, exclusive, 1)
            listener.bind((_HOST, port))
            listener.listen(1024)
            _check_ipv6(listener.getsockname()[1])
        except OSError as error:
            listener.close()
            if port == 0 and error.errno == errno.EADDRINUSE:
                continue
            raise
        return listener


def _check_ipv6(port: int) -> None:
    """Raise OSError if another program has the port of the IPv6 loopback address."""
    if not socket.has_ipv6:
        return
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that just ended do not count
            probe.bind((_HOST_IPV6, port))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:  # any other: this machine has no such address
            raise


def _open(options: Options, db: Path | None) -> Company:
    try:
        return Company(options, db)
    except sqlite3.Error as error:
        raise OSError(errno.EINVAL, f"cannot use the database {db}: {error}") from error


def occupant(port: int) -> str:
    """Name the program that has a port: another sandbox says its name."""
    with suppress(OSError, HTTPException), closing(HTTPConnection(_HOST, port, timeout=_ASKING)) as connection:
        connection.request("GET", "/_sandbox")
        name = connection.getresponse().getheader("X-Sandbox")
        if name:
            return f"another sandbox, {name}"
    return "another program"


def serve(
    options: Options | None = None,
    *,
    port: int = 0,
    seed: str = "none",
    db: Path | None = None,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Serve until Ctrl-C, then return.

    Calls `on_ready` with the base URL when connections are accepted. Raises OSError if the port is in use or the
    database cannot be used, and ValueError for an unknown seed.
    """
    company = _open(options or Options(), db)
    try:
        fill(company, seed)
        listener = _listen(port)
        url = f"http://{_HOST}:{listener.getsockname()[1]}"
        _Server(build(company), company, lambda: on_ready(url) if on_ready else None).run(sockets=[listener])
    except KeyboardInterrupt:
        return
    finally:
        company.db.close()


class Emulator:
    """An ASGI application on a loopback port of this process, as a context manager: `with Emulator(app) as box`.

    It logs the calls and injects faults, so that the application needs neither.
    """

    def __init__(self, app: App, *, port: int = 0, company: Company | None = None) -> None:
        self._company = company or Company(Options())
        self._app = app
        self._port = port
        self._thread: threading.Thread | None = None
        self._server: _Server | None = None
        self.url = ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def start(self) -> None:
        """Serve from a daemon thread. Returns when connections are accepted."""
        listener = _listen(self._port)
        ready = threading.Event()
        self._server = _Server(self._app, self._company, ready.set)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, name="sandbox", daemon=True
        )
        self._thread.start()
        self.url = f"http://{_HOST}:{listener.getsockname()[1]}"
        if not ready.wait(_START_TIMEOUT):
            self.stop()
            msg = "the sandbox did not start"
            raise RuntimeError(msg)

    def stop(self) -> None:
        """Stop serving. Data that is not in a file is lost."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(_START_TIMEOUT)
        self._company.db.close()

    def log(self) -> list[LogEntry]:
        """Return the calls so far in order of arrival, without control calls."""
        return self._company.request_log.entries()

    def clear_log(self) -> None:
        """Clear the log of calls."""
        self._company.request_log.clear()

    def fault(self, fault: Fault) -> None:
        """Inject a fault."""
        self._company.faults.add(fault)

    def clear_faults(self) -> None:
        """Remove all faults and release held calls."""
        self._company.faults.clear()


class Sandbox(Emulator):
    """A sandbox in this process, as a context manager: `with Sandbox(Options(), seed="samples") as box`.

    Methods raise KeyError for an unknown id and ValueError for a wrong field.
    """

    def __init__(
        self, options: Options | None = None, *, port: int = 0, seed: str = "none", db: Path | None = None
    ) -> None:
        company = Company(options or Options(), db)
        super().__init__(build(company), port=port, company=company)
        self._seed = seed

    def start(self) -> None:
        """Fill the company, and serve from a daemon thread. Returns when connections are accepted."""
        fill(self._company, self._seed)
        super().start()

    @property
    def name(self) -> str:
        """The name of this sandbox: the header X-Sandbox of its answers."""
        return self._company.name

    @property
    def options(self) -> Options:
        """The current options."""
        return self._company.options

    def set_options(self, **changes: Any) -> None:
        """Change options from the next request on."""
        self._company.set_options(**changes)

    def reset(self, seed: str = "none") -> None:
        """Reset objects, log, faults and tokens, then fill the company again. Options stay."""
        with self._company.db.transaction():
            self._company.reset()
            fill(self._company, seed)

    def expire_tokens(self) -> None:
        """Expire every admin token issued so far, including the configured one."""
        self._company.tokens.end_all(self._company.options)

    def book(self, slot_id: int, places: int = 1, reserved: int = 0) -> None:
        """Book places on a session's slot."""
        backdoor.book(self._company, slot_id, places, reserved)

    def add_session(self, values: Mapping[str, Any]) -> int:
        """Add a session with its slots; return its id."""
        return backdoor.add_session(self._company, values)

    def add_resource(self, values: Mapping[str, Any]) -> int:
        """Add a resource; return its id."""
        return backdoor.add_resource(self._company, values)

    def add_block(self, resource_id: int, start_iso: str, end_iso: str) -> int:
        """Block a resource's time; return the slot's id."""
        return backdoor.add_block(self._company, resource_id, start_iso, end_iso)

    def add_slot(self, **values: Any) -> int:
        """Add a slot of any status (resource_id, start, end, status and counts); return its id."""
        return backdoor.add_slot(self._company, values)

    def add_booking(self, resource_id: int, start_iso: str, end_iso: str, **minutes: int) -> int:
        """Book a resource's time, with `pre_time` and `post_time` in minutes; return the booking's id."""
        return backdoor.add_booking(self._company, resource_id, start_iso, end_iso, **minutes)

    def edit_session(self, session_id: int, /, **values: Any) -> None:
        """Change a session outside the API."""
        backdoor.edit_session(self._company, session_id, values)

    def edit_resource(self, resource_id: int, /, **values: Any) -> None:
        """Change a resource outside the API."""
        backdoor.edit_resource(self._company, resource_id, values)

    def edit_slot(self, slot_id: int, /, **values: Any) -> None:
        """Change a slot of a resource or session outside the API."""
        backdoor.edit_slot(self._company, slot_id, values)

    def delete(self, kind: str, row_id: int) -> None:
        """Delete a session, slot, resource or address outside the API."""
        backdoor.delete(self._company, kind, row_id)

    def sessions(self) -> list[dict[str, Any]]:
        """Return every session with all fields and slots."""
        return backdoor.sessions(self._company)

    def resources(self) -> list[dict[str, Any]]:
        """Return every resource with all fields and its address."""
        return backdoor.resources(self._company)

    def slots(self) -> list[dict[str, Any]]:
        """Return every slot of the resources."""
        return backdoor.slots(self._company)

    def bookings(self) -> list[dict[str, Any]]:
        """Return every booking of the resources."""
        return backdoor.bookings(self._company)

    def holds(self) -> list[dict[str, Any]]:
        """Return every booking session that was not ended, including expired ones, with its lines."""
        return holds_backdoor.booking_sessions(self._company)

    def expire_session(self, session_id: str) -> None:
        """Expire a booking session."""
        holds_backdoor.expire(self._company, session_id)

    def expire_sessions(self) -> None:
        """Expire every booking session."""
        holds_backdoor.expire_all(self._company)

    def end_session(self, session_id: str) -> None:
        """Remove a booking session outside the API."""
        holds_backdoor.end(self._company, session_id)

    def remove_line(self, session_id: str, line_id: str | int) -> None:
        """Remove a line of a booking session outside the API."""
        holds_backdoor.remove_line(self._company, session_id, line_id)

    def edit_line(self, session_id: str, line_id: str | int, /, **values: Any) -> None:
        """Change a line of a booking session outside the API: set a `slip`, or fields named as in `holds`."""
        holds_backdoor.edit_line(self._company, session_id, line_id, values)

    def take_stock(self, item_id: int, date: str, qty: int = 1) -> None:
        """Book some of an item's stock elsewhere. A negative number gives it back."""
        holds_backdoor.take_stock(self._company, item_id, date, qty)
