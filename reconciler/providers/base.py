"""What a provider is: the adapter of one remote system."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from reconciler.settings import ProviderSettings

if TYPE_CHECKING:
    from reconciler.model.bookings import Occupancy, Window
    from reconciler.model.change import Call, Decision, Receipt
    from reconciler.model.objects import Reading, Scope
    from reconciler.providers.http import HttpClient
    from reconciler.settings import Connection

BUILT_IN = "project"
"""The schema of the project file, which describes the connections of the built-in providers itself."""


class Provider(Protocol):
    """A remote system's adapter. `read` and `send` do I/O; `calls` of the spec is pure."""

    def read(self, scope: Scope) -> Reading:
        """Read the objects in scope.

        A single object that cannot be read is in `Reading.unreadable`; RemoteError is raised only
        where nothing at all can be read (no connection, wrong credentials).
        """
        ...

    def send(self, call: Call) -> Receipt:
        """Send one writing call whose references are bound.

        RemoteError: it was refused, or certainly not applied. OutcomeUnknown: it may have been applied.
        """
        ...

    def close(self) -> None:
        """Close sockets and threads."""
        ...


@runtime_checkable
class ReadsBookings(Protocol):
    """A provider whose system shows who has booked a resource."""

    def bookings(self, windows: Sequence[Window]) -> Mapping[Window, Occupancy]:
        """Read who has booked in each window; RemoteError where nothing at all can be read."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSpec:
    """One provider as the registry knows it: its pure parts, and how to open a live one."""

    name: str
    schema: str
    """The schema of what its connections state beyond the common settings, and of their credentials (`auth`).

    `PACKAGE:NAME` is the file `NAME.schema.json` of a package; `project` describes the built-in providers itself.
    """
    calls: Callable[[Decision, Connection], tuple[Call, ...]]
    """Turns a change's edits into HTTP calls, in the order in which they are sent. Pure."""
    open: Callable[[Connection, HttpClient], Provider]
    """Opens a connection."""
    settings: type[ProviderSettings] = ProviderSettings
    """The connection settings that only this provider has."""
    identified_by: tuple[str, ...] = ()
    """The credentials that choose the account, such as a user name: ids of one account mean nothing to another."""
    login_path: Callable[[Connection], str] | None = None
    """The path that a read-only connection may POST to, since a login does; None where there is no login."""


def late(module: str, name: str) -> Callable[..., Any]:
    """Return a function that imports the one it stands for when it is called: most commands use no adapter."""

    def call(*arguments: object) -> Any:
        return getattr(import_module(module), name)(*arguments)

    return call


def project_schema(specs: Iterable[ProviderSpec]) -> str:
    """Return the name of the schema of a project file that may use these providers."""
    parts = [f"{spec.name}={spec.schema}" for spec in specs if spec.schema != BUILT_IN]
    return "+".join([BUILT_IN, *parts])
