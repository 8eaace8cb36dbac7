"""What a provider is: four functions that talk to one remote system."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from reconciler.model.change import Call, Decision, Receipt
    from reconciler.model.objects import Reading, Scope
    from reconciler.model.occupancy import Occupancy, Window
    from reconciler.providers.http import HttpClient
    from reconciler.settings import Connection


class Provider(Protocol):
    """A remote system's adapter. `read` and `send` do I/O; `calls` of the spec is pure."""

    def read(self, scope: Scope) -> Reading:
        """Read the objects in scope.

        A single object that cannot be read is in `Reading.unreadable`; RemoteError is raised only
        where nothing at all can be read (no connection, wrong credentials).
        """
        ...

    def send(self, call: Call) -> Receipt:
        """Send one writing call whose `Ref`s are bound.

        RemoteError: it was refused or certainly not carried out. OutcomeUnknown: it may have been.
        """
        ...

    def close(self) -> None:
        """Give back sockets and threads."""
        ...


@runtime_checkable
class ReadsBookings(Protocol):
    """What a provider can do beside, where its system tells who has booked a resource."""

    def bookings(self, windows: Sequence[Window]) -> Mapping[Window, Occupancy]:
        """Read who has booked in each window; RemoteError where nothing at all can be read."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSpec:
    """One provider as the registry knows it: pure parts, and how to open a live one.

    `auth` lists the accepted sets of credential names; `settings` the connection keys it needs
    beside `base_url`. `calls` words a change's edits as HTTP calls, without any I/O.
    """

    name: str
    kinds: tuple[str, ...]
    auth: tuple[frozenset[str], ...]
    calls: Callable[[Decision, Connection], tuple[Call, ...]]
    open: Callable[[Connection, HttpClient], Provider]
    needs_company: bool = False
    public_access: bool = False
    login_path: Callable[[Connection], str] | None = None
