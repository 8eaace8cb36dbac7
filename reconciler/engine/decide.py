"""The action for one object, and its reason."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from reconciler.engine.adopt import already_exists
from reconciler.engine.diff import Comparison, appearance, compare, field_of
from reconciler.engine.expiry import declaration, expired_words, given_up, keep_expired, may_be_booked
from reconciler.engine.groups import Either
from reconciler.engine.identity import distinct_from, is_another, nothing_in_common, twins
from reconciler.engine.intents import OVERTAKEN, in_flight, open_call
from reconciler.engine.readback import spelling
from reconciler.engine.recover import certain, creations, left_nothing, lost_create, made_already, out_of_sight, over
from reconciler.engine.subject import Context, Decided, Subject
from reconciler.model.change import Action, Decision, FieldChange
from reconciler.model.objects import STORED, Address, Desired, Intent, Live, Problem, Record
from reconciler.model.risk import Risk
from reconciler.target import same_target


def decide(
    context: Context,
    address: Address,
    desired: Desired | None,
    record: Record | None,
    intents: Sequence[Intent],
) -> Decided:
    """Decide on one address; `intents` are the writing calls to it whose result is not recorded."""
    declared = desired is not None
    if context.destroying and desired is not None:
        if desired.protect and record is not None:
            record = replace(record, protect=True)  # declared and not yet applied: it also protects
        desired = None
    subject = Subject(
        context=context,
        address=address,
        desired=desired,
        record=record,
        intents=intents,
        declared=declared,
        unsettled=bool(intents) or (desired is None and address in context.forgotten),
    )
    if address in context.overtaken:
        used = record or (intents[-1] if intents else desired)
        return subject.unknown(used.connection if used is not None else "", OVERTAKEN), ()
    waits = in_flight(intents, context.now)
    early = made_already(subject) if waits is not None else None
    if early is not None:
        return _managed(replace(subject, record=early), early, recovered=True)
    if waits is not None:
        reason = f"{open_call(waits)}; plan again after that, or add --wait"
        return subject.unknown(record.connection if record is not None else waits.connection, reason), ()
    if record is None:
        return _unmanaged(subject)
    known = certain(record, intents)
    if known is record:
        return _managed(subject, record)
    return _managed(replace(subject, record=known), known, doubtful=True)


def _unmanaged(subject: Subject) -> Decided:
    lost = out_of_sight(subject)
    if lost is not None:
        return lost
    own = creations(subject.intents, subject.context.connections)
    found = lost_create(subject, own) if own else None
    if isinstance(found, Record):
        return _managed(replace(subject, record=found), found, recovered=True)
    if found is not None:
        return found
    desired = subject.desired
    if desired is None:
        return left_nothing(subject, own), ()
    if subject.context.forgotten.get(subject.address) == declaration(subject.kind, desired.fields):
        return given_up(subject, desired), ()
    return _absent(subject, desired, "new")


def _managed(subject: Subject, record: Record, *, doubtful: bool = False, recovered: bool = False) -> Decided:
    """Decide on an object with a record.

    `doubtful`: an earlier update has an unknown result. `recovered`: an interrupted run created it.
    """
    reading, desired = subject.context.snapshot.reading(record.connection, subject.address.kind), subject.desired
    live, how = reading.live.get(record.remote_id), reading.expired.get(record.remote_id)
    untouchable = _untouchable(subject, record, live)
    if untouchable is not None:
        return untouchable
    if desired is None:
        return _delete(subject, record, live, how), ()
    if how is not None:
        return _expired(subject, desired, how)
    if live is None:
        shown = subject.kind.public_id(record.remote_id)
        reason = f"deleted outside reconciler since the last apply (was id {shown})"
        return _absent(subject, desired, reason, gone=_deleted_outside(subject))
    if desired.connection != record.connection:
        return _replace(subject, desired, record, live)
    decision = _update(subject, desired, record, live, doubtful=doubtful, recovered=recovered)
    return decision, _spellings(desired, decision)


def _deleted_outside(subject: Subject) -> bool:
    """Whether an object that no longer exists was deleted outside: no interrupted delete explains it."""
    return all(intent.effect != "delete" for intent in subject.intents)


def _untouchable(subject: Subject, record: Record, live: Live | None) -> Decided | None:
    """Do nothing to an object on another system, one unread or never seen, or another one; None for any other."""
    problem = subject.misplaced(record, "is managed")
    if problem is not None:
        return subject.unknown(record.connection, problem.summary), (problem,)
    why = subject.context.snapshot.why_unreadable(record.connection, subject.address.kind, record.remote_id)
    if why is not None:
        return subject.unread(record.connection, f"could not be read: {why}"), ()
    desired = subject.desired
    stays = desired is not None and desired.connection == record.connection
    declared = desired.fields if desired is not None else {}
    if live is not None and is_another(subject.kind, record.fields, declared, live.fields, deletes=not stays):
        return _another(subject, record, live, stays=stays)
    unseen = _unseen(subject, record)
    return None if unseen is None else (unseen, ())


def _another(subject: Subject, record: Record, live: Live, *, stays: bool) -> Decided:
    """Do nothing to an object that has nothing in common with the one that had its id."""
    address, summary = subject.address, nothing_in_common(subject.kind, record, live)
    same = f"; if it is the same object with other values, then: `reconciler adopt {address} {record.remote_id}`"
    behind = "plan again later or with --wait: a read may be behind the last call to it; if that does not help, "
    behind *= bool(subject.intents)
    problem = Problem(
        code="another-object",
        summary=summary,
        hint=f"{behind}check base_url and the credentials of connection {record.connection}; if they are right, stop "
        f"managing this id: `reconciler state rm {subject.recorded}`{same if stays else ''}",
        where=subject.desired.source if subject.desired else None,
        address=address,
    )
    return subject.unknown(record.connection, summary), (problem,)


def _unseen(subject: Subject, record: Record) -> Decision | None:
    """Do nothing to an object that a create certainly made and that no read has shown since; None for any other.

    A read may be behind the write. One that expires by itself may have expired before anybody looked.
    """
    made = [intent for intent in subject.intents if intent.confirmed and intent.effect == "create"]
    reading = subject.context.snapshot.reading(record.connection, subject.address.kind)
    if not made or record.remote_id in reading.live:
        return None
    ephemeral = subject.kind.ephemeral
    ended = ephemeral is not None and subject.context.now >= over(made[-1], ephemeral.settles_after)
    if ended and record.remote_id in reading.expired:
        return None
    reason = (
        f"{open_call(made[-1])} (id {subject.kind.public_id(record.remote_id)}); plan again later; "
        f"if the object was deleted, or to create it again: `reconciler state rm {subject.recorded}`"
    )
    return subject.unknown(record.connection, reason)


def _expired(subject: Subject, desired: Desired, how: str) -> Decided:
    """Treat an expired object as its manifest says."""
    ephemeral = subject.kind.ephemeral
    policy = ephemeral.on_expiry(desired.fields) if ephemeral else "report"
    if policy != "recreate":
        return keep_expired(subject, desired, how, policy)
    reason = f"{expired_words(how)}; on_expiry is recreate, so it is recreated"
    return _absent(subject, desired, reason, risks=(may_be_booked(),))


def _delete(subject: Subject, record: Record, live: Live | None, how: str | None) -> Decision:
    if live is None:
        gone = "already deleted" if how is None else expired_words(how)
        forgotten = subject.nothing(
            record.connection, f"{gone}; only the record is removed", expired=how is not None, forget=True
        )
        return replace(forgotten, absent=True, gone=how is None and _deleted_outside(subject))
    kind = subject.kind
    return Decision(
        address=subject.address,
        connection=record.connection,
        action="delete",
        reason="to be destroyed" if subject.context.destroying else "removed from the manifests",
        remote_id=record.remote_id,
        fields=appearance(kind, {**record.fields, **live.fields}, coming=False),
        risks=kind.risks("delete", (), live, record.fields),
        record=record,
        live=live,
        unsettled=subject.unsettled,
    )


def _replace(subject: Subject, desired: Desired, record: Record, live: Live) -> Decided:
    """Move an object to another connection: it is deleted here and created there, with a new id."""
    reason = f"moves from connection {record.connection} to {desired.connection}, and gets a new id there"
    risks = subject.kind.risks("replace", (), live, record.fields)
    return _absent(subject, desired, reason, replaces=live, risks=risks)


def _absent(
    subject: Subject,
    desired: Desired,
    reason: str,
    *,
    replaces: Live | None = None,
    risks: tuple[Risk, ...] = (),
    gone: bool = False,
) -> Decided:
    """Create an object that is proved to be absent, in place of a live one on another connection (`replaces`)."""
    record, kind = subject.record, subject.kind
    place = (desired.connection, subject.address.kind)
    own = distinct_from(desired)
    if record is not None and same_target(subject.context.connections[desired.connection].target, record.target):
        own |= {record.remote_id}  # two connections to one system: it is no duplicate of itself
    taken = Either(subject.context.taken.get(place, ()), own)
    why = subject.context.why_unlisted(place, taken, desired.fields)
    if why is not None:
        return subject.unread(desired.connection, f"could not check for an existing object: {why}"), ()
    lost = any(intent.effect == "create" for intent in subject.intents)  # a server may have stored other values
    found = twins(kind, desired.fields, subject.context.snapshot.reading(*place), taken, tell_apart=not lost)
    if found:
        if replaces is not None:
            return already_exists(desired, found, unsettled=subject.unsettled, instead_of=subject.recorded), ()
        return already_exists(desired, found, unsettled=subject.unsettled, risks=risks), ()
    decision = Decision(
        address=desired.address,
        connection=desired.connection,
        action="replace" if replaces is not None else "create",
        reason=reason,
        remote_id=record.remote_id if record is not None and replaces is not None else None,
        source=desired.source,
        fields=appearance(kind, desired.fields, coming=True),
        risks=risks,
        desired=desired,
        record=record,
        live=replaces,
        unsettled=subject.unsettled,
        gone=gone,
    )
    return decision, _missing(subject, desired)


def _missing(subject: Subject, desired: Desired) -> tuple[Problem, ...]:
    adopt = f"if it exists already, adopt it instead: `reconciler adopt {desired.address} ID`"
    hint = adopt if subject.record is None else None
    return tuple(
        Problem(code="needed-to-create", summary=summary, hint=hint, where=desired.source, address=desired.address)
        for summary in subject.kind.missing_to_create(desired.fields)
    )


def _update(
    subject: Subject, desired: Desired, record: Record, live: Live, *, doubtful: bool, recovered: bool
) -> Decision:
    comparison = compare(subject.kind, desired.fields, live.fields, record.fields, record.computed.get(STORED))
    comparison, behind = _behind(subject, comparison)
    if behind is not None:
        return behind
    own = subject.kind.risks("update", comparison.fields, live, record.fields) if comparison.edits else ()
    action: Action = "update" if comparison.edits else "noop"
    why = "an earlier update has an unknown result" if doubtful else _why(comparison.fields)
    reasons = [*([why, *comparison.notes] if comparison.edits else ["as declared"]), *comparison.information]
    return Decision(
        address=desired.address,
        connection=desired.connection,
        action="adopt" if recovered else action,
        reason=f"created by an interrupted run (id {record.remote_id})" if recovered else "; ".join(reasons),
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
        unsettled=subject.unsettled,
    )


def _spellings(desired: Desired, decision: Decision) -> tuple[Problem, ...]:
    """Warn of each value that the server spells in its own way."""
    stored = decision.computed.get(STORED, {})
    return tuple(
        Problem(
            code="stored-otherwise",
            severity="warning",
            summary=spelling(name, desired.fields[name], stored[name]),
            where=desired.source,
            address=desired.address,
        )
        for name in sorted(stored)
    )


def _behind(subject: Subject, comparison: Comparison) -> tuple[Comparison, Decision | None]:
    """Take a value that a confirmed update wrote and that no read shows yet for no change from outside.

    The same value may be sent again. A member that is added, or a set that is replaced, is not: the object is unknown
    until reads certainly show what was written.
    """
    intents = [item for item in subject.intents if item.confirmed and item.effect == "update"]
    if not intents:
        return comparison, None
    written = {field_of(name) for item in intents for name in item.fields}
    doubtful = [item for item in comparison.fields if field_of(item.path) in written]
    if not doubtful or subject.record is None:
        return comparison, None
    fields = tuple(replace(item, origin="manifest") if item in doubtful else item for item in comparison.fields)
    comparison = replace(comparison, fields=fields, notes=(open_call(intents[-1]), *comparison.notes))
    parts = subject.kind.parts.keys()
    again = all(edit.effect == "update" and parts.isdisjoint(edit.values) for edit in comparison.edits)
    if again or intents[-1].pending_until <= subject.context.now:
        return comparison, None
    reason = f"{open_call(intents[-1])}; plan again after {intents[-1].pending_until}, or add --wait"
    return comparison, subject.unknown(subject.record.connection, reason)


def _why(fields: Sequence[FieldChange]) -> str:
    origins = {change.origin for change in fields}
    if origins == {"drift"}:
        return "changed outside reconciler since the last apply"
    if origins == {"manifest", "drift"}:
        return "the manifest changed, and the live object also changed"
    return "the manifest changed"
