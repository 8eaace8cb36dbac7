"""What is to be done to one object, and why."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from reconciler.engine.diff import appearance, compare
from reconciler.engine.exists import exists
from reconciler.engine.expiry import declaration, expired_words, given_up, let_lie, may_be_booked, still_unsure
from reconciler.engine.identity import created, twins
from reconciler.engine.recover import certain, creations, unread_stranger
from reconciler.engine.snapshot import Place, Snapshot
from reconciler.model.change import Action, Change
from reconciler.model.kind import Kind
from reconciler.model.objects import Address, Desired, Intent, Live, Problem, Record
from reconciler.settings import Connection

_NAMED = 5

Decision = tuple[Change | None, tuple[Problem, ...]]
"""A change, or None where nothing is left to do or to remember, and what is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What every decision looks at. `taken` are the ids that are managed, or found again, already.

    `sighted` are the ids that were live before an earlier run created anything, by run, connection and
    kind; `explained` those that are as an interrupted creation made them, by place; `forgotten` are objects
    that expired and were given up, with the digest of what was declared then.
    """

    kinds: Mapping[str, Kind]
    connections: Mapping[str, Connection]
    snapshot: Snapshot
    taken: Mapping[Place, Collection[str]]
    sighted: Mapping[tuple[str, str, str], Collection[str]]
    explained: Mapping[Place, Collection[str]]
    destroying: bool = False
    forgotten: Mapping[Address, str] = field(default_factory=dict)
    now: str = ""


def decide(
    context: Context,
    address: Address,
    desired: Desired | None,
    record: Record | None,
    intents: Sequence[Intent],
) -> Decision:
    """Decide on one address; `intents` are the writing calls to it whose result was never recorded."""
    if context.destroying and desired is not None:
        if desired.protect and record is not None:
            record = replace(record, protect=True)  # declared, if not yet applied: it protects all the same
        desired = None
    change, problems = _decide(context, address, desired, record, intents)
    unsettled = bool(intents) or (desired is None and address in context.forgotten)
    return (None if change is None else replace(change, unsettled=unsettled)), problems


def _decide(
    context: Context, address: Address, desired: Desired | None, record: Record | None, intents: Sequence[Intent]
) -> Decision:
    if record is not None:
        known = certain(record, intents)
        return _decide_managed(context, address, desired, known, doubtful=known is not record)
    own = creations(intents, context.connections)
    lost = _out_of_sight(context, address, desired, intents)
    if lost is not None:
        return lost
    found = _after_creation(context, address, desired, own) if own else None
    if found is not None:
        return found
    if desired is None:
        return _nothing_left(context, address, own), ()
    if context.forgotten.get(address) == declaration(context.kinds[address.kind], desired.fields):
        return given_up(desired), ()
    return _decide_new(context, desired, "declared and not there yet", None)


def _after_creation(
    context: Context, address: Address, desired: Desired | None, own: Sequence[Intent]
) -> Decision | None:
    """Decide on what an interrupted creation may have made; None where it certainly left nothing."""
    kind = context.kinds[address.kind]
    if kind.ephemeral is not None:
        unsure = still_unsure(kind, own, context.now)
        why = None if unsure is None else f"{unsure} {address}"
        return None if why is None else (_unknown(address, own[-1].connection, why, desired=desired), ())
    record, unknown = _settle(context, address, desired, own)
    if unknown is not None:
        return unknown, ()
    return None if record is None else _found_again(context, address, desired, record)


def _nothing_left(context: Context, address: Address, own: Sequence[Intent]) -> Change | None:
    """Have an interrupted creation forgotten that left nothing behind: a later twin is somebody else's."""
    if not own and address in context.forgotten:
        reason = "expired and forgotten earlier, and no manifest declares it any more"
        return Change(address=address, connection="", action="noop", reason=reason)
    if not own:
        return None
    reason = "an earlier creation left nothing behind, and no manifest declares it any more"
    return Change(address=address, connection=own[-1].connection, action="noop", reason=reason)


def _decide_managed(
    context: Context, address: Address, desired: Desired | None, record: Record, *, doubtful: bool = False
) -> Decision:
    untouchable = _untouchable(context, address, desired, record)
    if untouchable is not None:
        return untouchable
    kind, reading = context.kinds[address.kind], context.snapshot.reading(record.connection, address.kind)
    live, how = reading.live.get(record.remote_id), reading.expired.get(record.remote_id)
    if desired is None:
        return _delete(context, address, record, live, how), ()
    if how is not None:
        return _decide_expired(context, desired, record, how)
    if live is None:
        reason = f"deleted outside since it was last applied (it was {kind.public_id(record.remote_id)})"
        return _decide_new(context, desired, reason, record)
    if desired.connection != record.connection:
        return _replace(context, desired, record, live)
    return _update(context, desired, record, live, doubtful=doubtful), ()


def _untouchable(
    context: Context, address: Address, desired: Desired | None, record: Record
) -> tuple[Change, tuple[Problem, ...]] | None:
    """Leave alone what lies elsewhere or could not be read; None where it can be decided on."""
    problem = _misplaced(context, address, desired, (record.connection, record.target), "is managed")
    if problem is not None:
        return _unknown(address, record.connection, problem.summary, desired=desired, record=record), (problem,)
    why = context.snapshot.why_unreadable(record.connection, address.kind, record.remote_id)
    if why is None:
        return None
    return _unknown(address, record.connection, f"could not be read: {why}", desired=desired, record=record), ()


def _decide_expired(context: Context, desired: Desired, record: Record, how: str) -> Decision:
    """Do with an object that is over by itself what its manifest says."""
    kind = context.kinds[desired.address.kind]
    wish = kind.ephemeral.on_expiry(desired.fields) if kind.ephemeral else "report"
    if wish != "recreate":
        return let_lie(desired, record, how, wish)
    reason = f"{expired_words(how)}; on_expiry is recreate, so it is made anew"
    change, problems = _decide_new(context, desired, reason, record)
    return (change and replace(change, risks=(*change.risks, may_be_booked()))), problems


def _out_of_sight(
    context: Context, address: Address, desired: Desired | None, intents: Sequence[Intent]
) -> Decision | None:
    """Leave alone what an interrupted creation may have made at a system that is no longer looked at."""
    for intent in intents:
        if intent.effect == "create":
            said = "may have been created by an earlier run"
            problem = _misplaced(context, address, desired, (intent.connection, intent.target), said)
            if problem is not None:
                return _unknown(address, intent.connection, problem.summary, desired=desired), (problem,)
    return None


def _misplaced(
    context: Context, address: Address, desired: Desired | None, place: tuple[str, str], said: str
) -> Problem | None:
    """Refuse to use what is known of one system against another; `place` is a connection's name and its target then."""
    where = desired.source if desired else None
    name, target = place
    connection = context.connections.get(name)
    if connection is None:
        return Problem(
            code="connection-gone",
            summary=f"{said} through connection {name!r}, which the project file no longer has",
            hint=f"put the connection back, or forget the object: reconciler state rm {address}",
            where=where,
            address=address,
        )
    if connection.target != target:
        return Problem(
            code="connection-retargeted",
            summary=(
                f"{said} at {target}, yet connection {name!r} now points at "
                f"{connection.target}; an id of one system is never used against another"
            ),
            hint=f"use another --env or another state, or forget the object: reconciler state rm {address}",
            where=where,
            address=address,
        )
    return None


def _unknown(
    address: Address, connection: str, reason: str, *, desired: Desired | None = None, record: Record | None = None
) -> Change:
    return Change(
        address=address,
        connection=connection,
        action="unknown",
        reason=reason,
        remote_id=record.remote_id if record else None,
        source=desired.source if desired else None,
        desired=desired,
        record=record,
    )


def _delete(context: Context, address: Address, record: Record, live: Live | None, how: str | None) -> Change:
    kind = context.kinds[address.kind]
    if how is not None:
        reason = f"no longer wanted, and {expired_words(how)}; only the record is dropped"
    elif live is None:
        reason = "no longer wanted and already gone; only the record is dropped"
    elif context.destroying:
        reason = "to be destroyed"
    else:
        reason = "no manifest declares it any more"
    shown = {**record.fields, **(live.fields if live else {})}
    return Change(
        address=address,
        connection=record.connection,
        action="delete",
        reason=reason,
        remote_id=record.remote_id,
        fields=appearance(kind, shown, coming=False) if live else (),
        risks=kind.risks("delete", (), live, record.fields),
        record=record,
        live=live,
    )


def _create(
    context: Context, desired: Desired, reason: str, record: Record | None
) -> tuple[Change, tuple[Problem, ...]]:
    kind = context.kinds[desired.address.kind]
    missing = kind.missing_to_create(desired.fields)
    problems = tuple(
        Problem(code="needed-to-create", summary=summary, where=desired.source, address=desired.address)
        for summary in missing
    )
    change = Change(
        address=desired.address,
        connection=desired.connection,
        action="create",
        reason=reason,
        source=desired.source,
        fields=appearance(kind, desired.fields, coming=True),
        desired=desired,
        record=record,
    )
    return change, problems


def _replace(context: Context, desired: Desired, record: Record, live: Live) -> Decision:
    """Move an object to another connection: it is deleted here and created there, with a new id."""
    reason = f"moves from connection {record.connection} to {desired.connection}, where it gets a new id"
    change, problems = _decide_new(context, desired, reason, record)
    if change is None or change.action != "create":
        return change, problems
    risks = context.kinds[desired.address.kind].risks("replace", (), live, record.fields)
    return replace(change, action="replace", remote_id=record.remote_id, risks=risks, live=live), problems


def _update(context: Context, desired: Desired, record: Record, live: Live, *, doubtful: bool) -> Change:
    kind = context.kinds[desired.address.kind]
    comparison = compare(kind, desired.fields, live.fields, record.fields)
    action: Action = "update" if comparison.edits else "noop"
    own = kind.risks("update", comparison.fields, live, record.fields)
    why = "an earlier update has an unknown result" if doubtful else _why(comparison.fields)
    return Change(
        address=desired.address,
        connection=desired.connection,
        action=action,
        reason="; ".join(
            [*([why, *comparison.notes] if comparison.edits else ["as declared"]), *comparison.information]
        ),
        remote_id=record.remote_id,
        source=desired.source,
        fields=comparison.fields,
        edits=comparison.edits,
        risks=(*own, *comparison.risks) if comparison.edits else (),
        unverified=comparison.unverified,
        computed=comparison.computed,
        desired=desired,
        record=record,
        live=live,
    )


def _why(fields: Sequence[object]) -> str:
    origins = {getattr(change, "origin", "manifest") for change in fields}
    if origins == {"drift"}:
        return "changed outside since it was last applied"
    if origins == {"manifest", "drift"}:
        return "the manifest changed, and so did the live object"
    return "the manifest changed"


def _decide_new(context: Context, desired: Desired, reason: str, record: Record | None) -> Decision:
    """Create what is proved not to be there; `record` is what is remembered of one that is gone or moves."""
    address, kind = desired.address, context.kinds[desired.address.kind]
    place = (desired.connection, address.kind)
    taken = {*context.taken.get(place, ())}
    if record is not None and context.connections[desired.connection].target == record.target:
        taken.add(record.remote_id)  # two connections to one system: it is no twin of itself
    why = _why_not_known(context, place, taken)
    if why is not None:
        unknown = f"could not tell whether it exists already: {why}"
        return _unknown(address, desired.connection, unknown, desired=desired, record=record), ()
    found = twins(kind, desired.fields, context.snapshot.reading(*place), taken)
    if found:
        return exists(desired, found), ()
    return _create(context, desired, reason, record)


def _why_not_known(context: Context, place: Place, taken: Collection[str]) -> str | None:
    """Say why it is not known which unmanaged objects there are at a place."""
    why = context.snapshot.why_unreadable(*place, None)
    return why or unread_stranger(context.snapshot.reading(*place), taken)


def _settle(
    context: Context, address: Address, desired: Desired | None, own: Sequence[Intent]
) -> tuple[Record | None, Change | None]:
    """Look for what an interrupted creation made: its record, or the reason why that cannot be told."""
    intent = own[-1]
    place = (intent.connection, address.kind)
    reading, taken = context.snapshot.reading(*place), context.taken.get(place, ())
    why = _why_not_known(context, place, taken)
    if why is not None:
        reason = f"an earlier creation has an unknown result, and it could not be looked for: {why}"
        return None, _unknown(address, intent.connection, reason, desired=desired)
    found = {
        live.remote_id: live
        for item in own
        if item.connection == intent.connection
        for live in created(context.kinds[address.kind], item.fields, reading, taken)
    }
    if not found:
        return None, _if_unexplained(context, address, desired, own)
    if len(found) > 1:
        ids = ", ".join(sorted(found))
        reason = (
            f"an earlier creation has an unknown result, and {len(found)} live objects could be it ({ids}); "
            f"say which one is: reconciler adopt {address} ID"
        )
        return None, _unknown(address, intent.connection, reason, desired=desired)
    (remote_id,) = found
    depends_on = desired.depends_on if desired else ()
    return Record(
        address=address,
        connection=intent.connection,
        target=intent.target,
        remote_id=remote_id,
        fields=intent.fields,
        protect=bool(desired and desired.protect),
        depends_on=depends_on,
    ), None


def _if_unexplained(
    context: Context, address: Address, desired: Desired | None, own: Sequence[Intent]
) -> Change | None:
    """Refuse to create again while something new is there that could be ours, if not quite as it was sent.

    A server may store a value otherwise than it was sent; then no look finds what a lost answer made.
    """
    if not context.kinds[address.kind].listed_whole:
        return None
    new: set[str] = set()
    for intent in own:
        place = (intent.connection, address.kind)
        before = context.sighted.get((intent.run_id, *place))
        listed = context.snapshot.reading(*place).listed
        if before is not None and listed is not None:
            known = {*before, *context.taken.get(place, ()), *context.explained.get(place, ())}
            new |= listed - known
    if not new:
        return None
    ids = ", ".join(sorted(new)[:_NAMED])
    reason = (
        f"an earlier creation has an unknown result, and objects have appeared since that could be it ({ids}); "
        f"if one is: reconciler adopt {address} ID; if none is: reconciler state rm {address}"
    )
    return _unknown(address, own[-1].connection, reason, desired=desired)


def _found_again(context: Context, address: Address, desired: Desired | None, record: Record) -> Decision:
    """Take up what our own interrupted creation made, and bring it to what is wanted now."""
    change, problems = _decide_managed(context, address, desired, record)
    if change is None or change.action not in {"noop", "update"}:
        return change, problems
    reason = f"made by an earlier run that was cut off (id {record.remote_id})"
    return replace(change, action="adopt", reason=reason), problems
