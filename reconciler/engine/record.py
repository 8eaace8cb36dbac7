"""What a change alters of what is remembered. Pure.

It is computed once, when the change is built: the plan shows it, and the apply writes exactly that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from reconciler.engine.diff import stated_part
from reconciler.model.change import EDITING, RECORD_CODES, Decision, RecordCode
from reconciler.model.objects import Computed, Desired, Fields, Record
from reconciler.settings import Connection
from reconciler.target import same_target


def next_record(decision: Decision, connections: Mapping[str, Connection]) -> Record | None:
    """Return the record that a change without calls leaves of an object; None where it leaves none.

    What expired keeps the values that were last applied.
    """
    desired, record = decision.desired, decision.record
    if record is None or decision.forget or decision.action != "noop":
        return None
    if desired is None or decision.expired:
        return record
    return replace(
        record,
        address=desired.address,
        connection=desired.connection,
        target=connections[desired.connection].target,
        fields=desired.fields,
        computed=decision.computed,
        protect=desired.protect,
        depends_on=desired.depends_on,
        written_by=None,
    )


def settles(decision: Decision) -> bool:
    """Whether open calls are closed; the note of an expired object that is not managed any more stays."""
    return decision.unsettled and not (decision.expired and decision.record is None)


def record_codes(decision: Decision, after: Record | None, *, open_calls: bool, moved: bool) -> tuple[RecordCode, ...]:
    """Return what a change alters of what is remembered, except what follows from its calls.

    `after` is what `next_record` returned. `open_calls`: calls to the object have no recorded result.
    """
    found = {"moved"} if moved else set()
    noop, record, desired = decision.action == "noop", decision.record, decision.desired
    if _forgets(decision):
        found.add("forgotten")
    if noop and open_calls and settles(decision):
        found.add("settled")
    if record is not None and desired is not None and not decision.expired and (noop or decision.action in EDITING):
        found |= {"protect"} if desired.protect != record.protect else set()
        found |= {"undeclared"} if next(_undeclared(record.fields, desired.fields), None) else set()
    if record is not None and after is not None:
        found |= {"moved"} if _elsewhere(record, after) else set()
        found |= {"baseline"} if _rebased(record, after) else set()
    return tuple(code for code in RECORD_CODES if code in found)


def _forgets(decision: Decision) -> bool:
    nowhere = decision.desired is None and decision.record is None
    return decision.action == "noop" and (decision.forget or (nowhere and decision.unsettled))


def _undeclared(recorded: Fields, declared: Fields) -> Iterator[str]:
    """Name the recorded fields, and parts of nested ones, that the manifest no longer states."""
    if recorded == declared:
        return
    for name, value in recorded.items():
        if name not in declared:
            yield name
        elif isinstance(value, Mapping) and isinstance(declared[name], Mapping):
            yield from (f"{name}.{key}" for key in value if key not in declared[name])


def _elsewhere(record: Record, after: Record) -> bool:
    return record.connection != after.connection or not same_target(record.target, after.target)


def _rebased(record: Record, after: Record) -> bool:
    """Whether the values that later plans compare with differ, apart from those that are no longer stated."""
    if (record.target, record.depends_on) != (after.target, after.depends_on) and not _elsewhere(record, after):
        return True
    if _known(record.computed) != _known(after.computed):
        return True
    return after.fields != record.fields and any(
        stated_part(value, record.fields.get(name)) != value for name, value in after.fields.items()
    )


def _known(computed: Computed) -> Computed:
    """Leave out parts of which nothing is computed."""
    return {part: members for part, members in computed.items() if members}


def record_words(decision: Decision, codes: tuple[RecordCode, ...]) -> tuple[str, ...]:
    """Say for people what a change of an object alters of what is remembered; its reason says the rest."""
    desired, record = decision.desired, decision.record
    if desired is None or record is None:
        return ()
    return tuple(words for code in codes if (words := _words(code, desired, record)))


def _words(code: RecordCode, desired: Desired, record: Record) -> str | None:
    match code:
        case "protect":
            return f"records metadata.protect: {'true' if desired.protect else 'false'}"
        case "baseline":
            return "records the declared values as last applied"
        case "undeclared":
            return f"no longer compares {', '.join(sorted(_undeclared(record.fields, desired.fields)))}"
        case "settled":
            return "closes an earlier call with an unknown result"
        case _:
            return None
