"""One object as a decision sees it: what is declared, recorded and unsettled, and everything around it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from reconciler.engine.identity import unread_stranger
from reconciler.engine.snapshot import Place, Snapshot
from reconciler.model.change import Action, Decision
from reconciler.model.kind import Kind
from reconciler.model.objects import Address, Desired, Fields, Intent, Problem, Record
from reconciler.registry import kinds
from reconciler.settings import Connection
from reconciler.target import Target, same_system, same_target

Decided = tuple[Decision | None, tuple[Problem, ...]]
"""A decision, or None where nothing is left to do or to record, and the problems with it."""


def still_reaches(connections: Mapping[str, Connection], used: Record | Intent) -> bool:
    """Whether the connection that was used still leads to the same system: an id is never used against another one."""
    connection, kind = connections.get(used.connection), kinds().get(used.address.kind)
    if connection is None or (kind is not None and kind.provider != connection.provider):
        return False
    return same_target(connection.target, used.target)


class Context(Struct, frozen=True, kw_only=True):
    """What every decision looks at."""

    kinds: Mapping[str, Kind]
    connections: Mapping[str, Connection]
    snapshot: Snapshot
    taken: Mapping[Place, Collection[str]]
    """The ids that are managed, or found again, already."""
    baselines: Mapping[tuple[str, str, str], Collection[str]]
    """The ids that were live before an earlier run created anything, by run, connection and kind."""
    explained: Mapping[Place, Collection[str]]
    """The live ids that an interrupted create could have made."""
    destroying: bool = False
    moves: Mapping[Address, Address] = {}
    """The old addresses of selected objects by their new ones: until an apply, the state knows the old ones."""
    forgotten: Mapping[Address, str] = {}
    """Expired objects that are no longer managed, with the digest of their declaration then."""
    overtaken: Collection[Address] = ()
    """What another run wrote to while the live objects were read."""
    now: str = ""

    def why_unlisted(self, place: Place, taken: Collection[str], fields: Fields) -> str | None:
        """Say why the unmanaged objects that could be one with these fields are unknown; None where they are known."""
        why = self.snapshot.why_unlisted(*place, self.kinds[place[1]].span(fields))
        return why or unread_stranger(self.snapshot.reading(*place), taken)


class Subject(Struct, frozen=True, kw_only=True):
    """One address with everything that is known of it."""

    context: Context
    address: Address
    desired: Desired | None
    record: Record | None
    intents: Sequence[Intent] = ()
    """The writing calls to it whose result is not recorded."""
    unsettled: bool = False
    """Whether the state holds something of it that this plan settles."""
    declared: bool = False
    """Whether a manifest declares it; a destroy decides as if none did."""

    @property
    def kind(self) -> Kind:
        """The object's kind."""
        return self.context.kinds[self.address.kind]

    @property
    def recorded(self) -> Address:
        """The address under which the state knows it: a command that a message names must find it there."""
        return self.context.moves.get(self.address, self.address)

    def unknown(self, connection: str, reason: str) -> Decision:
        """Decide to do nothing, because the live object is unknown."""
        return self.nothing(connection, reason, action="unknown")

    def unread(self, connection: str, reason: str) -> Decision:
        """Decide to do nothing, because reading failed: that is also a reason to do nothing to others."""
        return replace(self.unknown(connection, reason), unread=True)

    def nothing(
        self, connection: str, reason: str, *, expired: bool = False, forget: bool = False, action: Action = "noop"
    ) -> Decision:
        """Decide to send nothing; only the record may change."""
        return Decision(
            address=self.address,
            connection=connection,
            action=action,
            reason=reason,
            remote_id=self.record.remote_id if self.record else None,
            source=self.desired.source if self.desired else None,
            desired=self.desired,
            record=self.record,
            unsettled=self.unsettled,
            expired=expired,
            forget=forget,
        )

    def misplaced(self, used: Record | Intent, said: str) -> Problem | None:
        """Refuse to use an id of one system on another."""
        if still_reaches(self.context.connections, used):
            return None
        where = self.desired.source if self.desired else None
        present = self.context.connections.get(used.connection)
        if present is None:
            return Problem(
                code="connection-gone",
                summary=f"{said} through connection {used.connection!r}, which is not in the project file",
                hint=f"restore the connection, or stop managing the object: `reconciler state rm {self.recorded}`",
                where=where,
                address=self.address,
            )
        wrong = "base_url"
        if same_system(present.target, used.target):
            company = Target.parse(used.target).account.startswith("company ")
            wrong = "company_id" if company else "the credentials of the connection: they choose another account"
        return Problem(
            code="connection-retargeted",
            summary=(
                f"{said} at {used.target}, but connection {used.connection!r} now points to {present.target}; "
                "an id of one system is never used on another"
            ),
            hint=(
                f"check {wrong}; or use another --env or another state, "
                f"or stop managing the object: `reconciler state rm {self.recorded}`"
            ),
            where=where,
            address=self.address,
        )
