"""The action for one object, and its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reconciler.engine.adopt import already_exists
from reconciler.engine.diff import appearance, compare
from reconciler.engine.expiry import declaration, expired_words, given_up, keep_expired, may_be_booked
from reconciler.engine.identity import twins
from reconciler.engine.recover import certain, creations, left_nothing, lost_create, out_of_sight
from reconciler.engine.subject import Context, Decided, Subject
from reconciler.model.change import Action, Decision, FieldChange
from reconciler.model.objects import Address, Desired, Intent, Live, Problem, Record
from reconciler.model.risk import Risk


def decide(
    context: Context,
    address: Address,
    desired: Desired | None,
    record: Record | None,
    intents: Sequence[Intent],
) -> Decided:
    """Decide on one address; `intents` are the writing calls to it whose result is not recorded."""
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
        unsettled=bool(intents) or (desired is None and address in context.forgotten),
    )
    if record is None:
        return _unmanaged(subject)
    known = certain(record, intents)
    return _managed(replace(subject, record=known), known, doubtful=known is not record)


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
    untouchable = _untouchable(subject, record)
    if untouchable is not None:
        return untouchable
    reading, desired = subject.context.snapshot.reading(record.connection, subject.address.kind), subject.desired
    live, how = reading.live.get(record.remote_id), reading.expired.get(record.remote_id)
    if desired is None:
        return _delete(subject, record, live, how), ()
    if how is not None:
        return _expired(subject, desired, how)
    if live is None:
        shown = subject.kind.public_id(record.remote_id)
        return _absent(subject, desired, f"deleted outside reconciler since the last apply (was id {shown})")
    if desired.connection != record.connection:
        return _replace(subject, desired, record, live)
    return _update(subject, desired, record, live, doubtful=doubtful, recovered=recovered), ()


def _untouchable(subject: Subject, record: Record) -> Decided | None:
    """Do nothing to an object on another system or one that could not be read; None for any other."""
    problem = subject.misplaced(record, "is managed")
    if problem is not None:
        return subject.unknown(record.connection, problem.summary), (problem,)
    why = subject.context.snapshot.why_unreadable(record.connection, subject.address.kind, record.remote_id)
    if why is None:
        return None
    return subject.unknown(record.connection, f"could not be read: {why}"), ()


def _expired(subject: Subject, desired: Desired, how: str) -> Decided:
    """Treat an expired object as its manifest says."""
    ephemeral = subject.kind.ephemeral
    policy = ephemeral.on_expiry(desired.fields) if ephemeral else "report"
    if policy != "recreate":
        return keep_expired(subject, desired, how, policy)
    reason = f"{expired_words(how)}; on_expiry is recreate, so it is recreated"
    return _absent(subject, desired, reason, risks=(may_be_booked(),))


def _delete(subject: Subject, record: Record, live: Live | None, how: str | None) -> Decision:
    kind = subject.kind
    if how is not None:
        reason = f"{expired_words(how)}; only the record is removed"
    elif live is None:
        reason = "already deleted; only the record is removed"
    else:
        reason = "to be destroyed" if subject.context.destroying else "removed from the manifests"
    shown = {**record.fields, **(live.fields if live else {})}
    return Decision(
        address=subject.address,
        connection=record.connection,
        action="delete",
        reason=reason,
        remote_id=record.remote_id,
        fields=appearance(kind, shown, coming=False) if live else (),
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
    subject: Subject, desired: Desired, reason: str, *, replaces: Live | None = None, risks: tuple[Risk, ...] = ()
) -> Decided:
    """Create an object that is proved to be absent, in place of a live one on another connection (`replaces`)."""
    record, kind = subject.record, subject.kind
    place = (desired.connection, subject.address.kind)
    taken = {*subject.context.taken.get(place, ())}
    if record is not None and subject.context.connections[desired.connection].target == record.target:
        taken.add(record.remote_id)  # two connections to one system: it is no duplicate of itself
    why = subject.context.why_unlisted(place, taken)
    if why is not None:
        return subject.unknown(desired.connection, f"could not check whether it exists already: {why}"), ()
    found = twins(kind, desired.fields, subject.context.snapshot.reading(*place), taken)
    if found:
        return already_exists(desired, found, unsettled=subject.unsettled, risks=risks if replaces is None else ()), ()
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
    )
    return decision, _missing(subject, desired)


def _missing(subject: Subject, desired: Desired) -> tuple[Problem, ...]:
    return tuple(
        Problem(code="needed-to-create", summary=summary, where=desired.source, address=desired.address)
        for summary in subject.kind.missing_to_create(desired.fields)
    )


def _update(
    subject: Subject, desired: Desired, record: Record, live: Live, *, doubtful: bool, recovered: bool
) -> Decision:
    comparison = compare(subject.kind, desired.fields, live.fields, record.fields)
    own = subject.kind.risks("update", comparison.fields, live, record.fields)
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


def _why(fields: Sequence[FieldChange]) -> str:
    origins = {change.origin for change in fields}
    if origins == {"drift"}:
        return "changed outside reconciler since the last apply"
    if origins == {"manifest", "drift"}:
        return "the manifest changed, and the live object also changed"
    return "the manifest changed"
