"""What happens to a call whose answer was lost: the next run looks for its effect before it sends anything.

A create whose answer was lost, or whose run ended before the id was recorded, leaves an open intent. `lost_create`
looks for its object among the live ones and says what to do:

- exactly one could be the result of the create: the run manages it from then on;
- several could be: a person chooses (`reconciler adopt`);
- exactly one could be, but it would be deleted: a person chooses, because another person may have made a look-alike;
- none could be: the object is created, unless a newer live object could be its result;
- the live objects cannot be read or listed: nothing is done until they can be, or until the created object has expired.

An update whose answer was lost leaves some values unknown: `certain` removes them from the applied ones.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from reconciler.engine.groups import Either, Found, Untaken
from reconciler.engine.identity import created, distinct_from
from reconciler.engine.intents import open_call
from reconciler.engine.snapshot import Place, Snapshot
from reconciler.engine.subject import Decided, Subject, still_reaches
from reconciler.model.canonical import utc
from reconciler.model.change import Decision, merged
from reconciler.model.kind import Kind
from reconciler.model.objects import Address, Computed, Intent, Live, Record
from reconciler.settings import Connection

_NAMED = 5


def certain(record: Record, intents: Collection[Intent]) -> Record:
    """Return a record without the applied values that an update of unknown result may have overwritten.

    A value that the API does not return is compared with what was last applied, which is not known here.
    """
    if not intents:
        return record
    fields: dict[str, Any] = dict(record.fields)
    computed: Computed = record.computed
    for intent in intents:
        if intent.effect != "update" or intent.confirmed:
            continue
        for name, value in intent.fields.items():
            part, bracket, member_id = name.partition("[")
            if bracket:
                fields[part] = [member for member in fields.get(part) or () if not _holds(member, value)]
                computed = merged(computed, {part: {member_id[:-1]: None}} if part in computed else {})
            else:
                fields.pop(name, None)
                computed = {other: members for other, members in computed.items() if other != name}
    if fields == record.fields and computed == record.computed:
        return record
    return replace(record, fields=fields, computed=computed)


def _holds(member: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    """Whether a member is the one that was overwritten; a new member replaced none."""
    return bool(values) and all(member.get(key) == value for key, value in values.items())


def creations(intents: Sequence[Intent], connections: Mapping[str, Connection]) -> tuple[Intent, ...]:
    """Return the creates among them, at systems that are still the same."""
    return tuple(intent for intent in intents if intent.effect == "create" and still_reaches(connections, intent))


def explained(
    intents: Mapping[Address, Sequence[Intent]],
    kinds: Mapping[str, Kind],
    connections: Mapping[str, Connection],
    snapshot: Snapshot,
) -> dict[Place, set[str]]:
    """Return the live ids that one of the interrupted creates could have made."""
    found: dict[Place, set[str]] = {}
    counted: dict[int, Mapping[str, Live]] = {}
    """What is in `found` already: thousands of creates may have the same possible results."""
    for address, items in intents.items():
        for intent in creations(items, connections):
            place = (intent.connection, address.kind)
            ids = found.setdefault(place, set())
            for pool in created(kinds[address.kind], intent.fields, snapshot.reading(*place), ()).pools:
                if id(pool) not in counted:
                    counted[id(pool)] = pool
                    ids.update(pool)
    return found


def out_of_sight(subject: Subject) -> Decided | None:
    """Do nothing where an interrupted create was sent to a system that no connection uses now."""
    for intent in subject.intents:
        if intent.effect == "create":
            problem = subject.misplaced(intent, "may have been created by an earlier run")
            if problem is not None:
                return subject.unknown(intent.connection, problem.summary), (problem,)
    return None


def lost_create(subject: Subject, own: Sequence[Intent]) -> Record | Decided | None:
    """Look for the object of an interrupted create.

    Return its record, or a decision where the result is unknown, or None where no object was created.
    """
    if subject.kind.ephemeral is not None:
        why = _not_over(subject, own[-1], subject.kind.ephemeral.settles_after)
        return None if why is None else (subject.unknown(own[-1].connection, why), ())
    intent = own[-1]
    place = (intent.connection, subject.address.kind)
    reading = subject.context.snapshot.reading(*place)
    taken = Either(subject.context.taken.get(place, ()), distinct_from(subject.desired))
    why = subject.context.why_unlisted(place, taken, intent.fields)
    if why is not None:
        words = f"an earlier create has an unknown result, and the search for its object failed: {why}"
        return subject.unread(intent.connection, words), ()
    here = [item for item in own if item.connection == intent.connection]
    found = created(subject.kind, here[0].fields, reading, taken)
    if len(here) > 1:
        made = {live.remote_id: live for item in here for live in created(subject.kind, item.fields, reading, taken)}
        found = Found((made,))
    if not found:
        return _unexplained(subject, own) or _unlisted(subject, own)
    if len(found) > 1:
        ids = ", ".join([*sorted(live.remote_id for live in found.first(_NAMED)), *["…"] * (len(found) > _NAMED)])
        several = f"and {len(found)} live objects could be its result ({ids})"
        return _in_doubt(subject, intent, f"{several}; {_by_a_person(subject, intent, 'ID')}")
    remote_id = found.first(1)[0].remote_id
    if subject.desired is None or subject.desired.connection != intent.connection:
        seen = f"and id {remote_id} on connection {intent.connection} could be its result"
        kept = "an object that was only found by its values is not deleted"
        return _in_doubt(subject, intent, f"{seen}; {kept}; {_by_a_person(subject, intent, remote_id)}")
    return Record(
        address=subject.address,
        connection=intent.connection,
        target=intent.target,
        remote_id=remote_id,
        fields=intent.fields,
        protect=bool(subject.desired and subject.desired.protect),
        depends_on=subject.desired.depends_on if subject.desired else (),
    )


def made_already(subject: Subject) -> Record | None:
    """Return the record of an object that a call which may be in progress has already made; None where it has not.

    Only the object of the one open call counts, and only where it was not there before that call.
    """
    own = creations(subject.intents, subject.context.connections)
    if len(own) != 1 or len(subject.intents) != 1 or subject.record is not None or subject.kind.ephemeral is not None:
        return None
    found = lost_create(subject, own)
    before = subject.context.baselines.get((own[0].run_id, own[0].connection, subject.address.kind))
    return found if isinstance(found, Record) and before is not None and found.remote_id not in before else None


def _in_doubt(subject: Subject, intent: Intent, words: str) -> Decided:
    return subject.unknown(intent.connection, f"an earlier create has an unknown result, {words}"), ()


def over(intent: Intent, settles_after: int) -> str:
    """Return the instant from which an object that expires by itself, and that a call made, has certainly expired."""
    return utc(datetime.fromisoformat(intent.started_at) + timedelta(seconds=settles_after))


def _not_over(subject: Subject, intent: Intent, settles_after: int) -> str | None:
    """Say why an object that cannot be listed is not created again yet; None once the first one has expired."""
    end = over(intent, settles_after)
    if subject.context.now >= end:
        return None
    return (
        f"an earlier create ({intent.started_at}) has an unknown result, and this API cannot list what exists; "
        f"an object that it created expires by {end}, and the next plan after that recreates it; "
        f"to recreate it with the next apply: `reconciler state rm {subject.recorded}`"
    )


def _unexplained(subject: Subject, own: Sequence[Intent]) -> Decided | None:
    """Refuse to create again while a newer live object could be the result, although its values differ.

    A server may store another value than it was sent. Then no search finds the object of a lost create.
    """
    if not subject.kind.listed_whole:
        return None
    found = [_newer(subject, intent) for intent in own]
    new = {remote_id for each in found for remote_id in each.first(_NAMED)}
    if not new:
        return None
    ids = ", ".join(sorted(new)[:_NAMED])
    newer = f"and newer objects could be its result ({ids})"
    return _in_doubt(subject, own[-1], f"{newer}; {_by_a_person(subject, own[-1], 'ID')}")


def _newer(subject: Subject, intent: Intent) -> Found[str]:
    """Return the ids, in order, that are newer than the run of an interrupted create, and of no known object."""
    context, place = subject.context, (intent.connection, subject.address.kind)
    reading, before = context.snapshot.reading(*place), context.baselines.get((intent.run_id, *place))
    if before is None or reading.listed is None:
        return Found()
    taken = context.taken.get(place, ())
    known, left = reading.memo.get(("newer", intent.run_id), (None, None))
    if known is not taken:  # once for each run: thousands of its creates may be looked for
        ids = sorted(reading.listed.difference(before, context.explained.get(place, ())))
        left = Untaken({each: each for each in ids})
        reading.memo["newer", intent.run_id] = taken, left
    newer: Found[str] = left.of(taken)
    return newer


def _by_a_person(subject: Subject, intent: Intent, remote_id: str) -> str:
    """Return the commands with which a person says whether a live object is the result of an interrupted create."""
    address, desired = subject.address, subject.desired
    adopt = f"`reconciler adopt {address} {remote_id}`"
    if desired is not None and desired.connection != intent.connection:
        adopt = f"set its metadata.connection to {intent.connection} again, and {adopt}"
    elif not subject.declared:
        adopt = f"restore its manifest, and {adopt}"
    return f"if it is: {adopt}; if it is not: `reconciler state rm {subject.recorded}`"


def _unlisted(subject: Subject, own: Sequence[Intent]) -> Decided | None:
    """Refuse to create again what a server confirmed: that no read shows it does not prove that it is absent."""
    confirmed = [intent for intent in own if intent.confirmed]
    if not confirmed:
        return None
    again = f"to create it again: `reconciler state rm {subject.recorded}`"
    words = f"{open_call(confirmed[-1])}, and the response contained no id; plan again later; {again}"
    return subject.unknown(confirmed[-1].connection, words), ()


def left_nothing(subject: Subject, own: Sequence[Intent]) -> Decision | None:
    """Drop the intent of an interrupted create that left no object, so that a later look-alike is not claimed."""
    if own:
        reason = "an earlier create left no object, and no manifest declares it"
        return subject.nothing(own[-1].connection, reason)
    if subject.intents:
        reason = "an earlier call has an unknown result, but the object is not managed, and no manifest declares it"
        return subject.nothing(subject.intents[-1].connection, reason)
    if subject.address in subject.context.forgotten:
        return subject.nothing("", "expired and no longer managed, and no manifest declares it")
    return None
