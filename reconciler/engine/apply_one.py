"""Applying one object's change: intent, call, record, and a check of the result."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler.engine.creating import Create, Creates
from reconciler.engine.intents import begin, extending, overwritten, settling, settling_words
from reconciler.engine.ledger import Ledger
from reconciler.engine.readback import Confirmation, confirm, confirm_gone
from reconciler.engine.record import settles
from reconciler.engine.refused import refused_fields
from reconciler.engine.snapshot import Place
from reconciler.errors import Interrupted, NotAsDeclared, NotStarted, OutcomeUnknown, ReconcilerError, RemoteError
from reconciler.model.change import Call, Change, Edit, Receipt, bind, bind_path, merged
from reconciler.model.kind import Kind
from reconciler.model.limit import TimeLimit
from reconciler.model.objects import STORED, Address, Computed, Desired, Fields, Live, Problem, Record
from reconciler.model.report import Outcome, State
from reconciler.model.words import count
from reconciler.providers.base import Provider
from reconciler.providers.notice import noticed
from reconciler.settings import Connection

_log = logging.getLogger("reconciler.apply")


class Run(Struct, frozen=True, kw_only=True):
    """What one apply works with."""

    run_id: str
    store: Ledger
    kinds: Mapping[str, Kind]
    connections: Mapping[str, Connection]
    open_provider: Callable[[str], Provider]
    listed: Mapping[Place, frozenset[str]]
    """The ids that were live before the run: an object created now has another one."""
    ids: dict[Address, str]
    """The ids that references may use; it grows as objects are created."""
    computed: dict[Address, Computed] = {}
    """What the remote systems computed for each object so far."""
    saved: dict[Address, Record] = {}
    """The record of each object that this run wrote."""
    freed: set[tuple[str, str, str]] = set()
    """Connection, kind and id of each object that this run deleted: a new one may get its id."""
    shown: dict[Address, Live] = {}
    """Each object that a read already showed after its last call."""
    lock: threading.RLock = field(default_factory=threading.RLock)
    """Guards `ids`, `computed`, `saved`, `freed`, `creates` and what they claim."""
    creates: dict[Place, Creates] = {}
    written: threading.Event = field(default_factory=threading.Event)
    """Set once a call changed something, or may have."""
    stop: threading.Event = field(default_factory=threading.Event)
    """Once it is set, no call is started."""
    limit: TimeLimit = field(default_factory=TimeLimit)
    """Once it is over, `stop` is set."""

    def creates_at(self, connection: str, kind: Kind) -> Creates:
        """Return the creates of a kind at a connection."""
        place = (connection, kind.name)
        with self.lock:
            if place not in self.creates:
                listed = self.listed.get(place, frozenset())
                self.creates[place] = Creates(kind, lambda: self.open_provider(connection), self.stop, listed)
            return self.creates[place]

    @property
    def why_stopped(self) -> str:
        """Why no call is started any more, for people."""
        return self.limit.words if self.limit.over else "the run was interrupted"


def apply_one(run: Run, change: Change) -> Outcome:
    """Apply one change and say how it ended; never raises for anything remote."""
    sent: list[Call] = []
    state: State
    error: str | None
    remote_id, interrupted = change.remote_id, False
    refused: tuple[Problem, ...] = ()
    try:
        remote_id = _STEPS[change.action](run, change, sent)
        found = _verdict(run, change, remote_id, sent)
        state, error, interrupted = found.state, found.error, found.interrupted
    except OutcomeUnknown as problem:
        state, error, interrupted = "unknown", problem.message, problem.interrupted
        remote_id = problem.made.remote_id if problem.made is not None else remote_id
    except Interrupted as problem:
        state, error, interrupted = "blocked", problem.message, True
    except NotAsDeclared as problem:
        state, error = "failed", problem.message if change.source is None else f"{change.source}: {problem.message}"
    except RemoteError as problem:
        state, error = "failed", problem.message
        refused = refused_fields(run.kinds[change.address.kind], change, problem.complaints)
        remote_id = problem.made.remote_id if problem.made is not None else remote_id
    except ReconcilerError as problem:  # for example, the state could not be written after a call
        state, error = "unknown" if sent else "failed", problem.message
    except Exception as problem:  # noqa: BLE001 - a defect of ours must not lose the outcomes of the others
        _log.debug("internal error at %s", change.address, exc_info=True)
        state = "unknown" if sent else "failed"
        error = f"internal error: {type(problem).__name__}: {problem}"
    return Outcome(
        address=change.address,
        action=change.action,
        state=state,
        shown_id=run.kinds[change.address.kind].public_id(remote_id),
        error=error,
        calls=len(sent),
        moved_from=change.moved_from,
        record=change.remembers,
        interrupted=interrupted,
        rejected=refused,
    )


def _nothing(run: Run, change: Change, sent: list[Call]) -> str | None:  # noqa: ARG001 - one signature for all steps
    """Write what the plan says of the record, such as a field or a protection that is no longer declared."""
    if change.next_record is not None and change.remembers:
        _save(run, change.next_record)
    if settles(change):
        run.store.settle(change.address)
    return change.remote_id


def _settle(run: Run, change: Change) -> None:
    """Remove the open intents, once the live object has been read and its record is right."""
    if change.unsettled:
        run.store.settle(change.address)


def _unread(run: Run, change: Change, sent: list[Call]) -> str | None:  # noqa: ARG001 - one signature for all steps
    return change.remote_id


def _create(run: Run, change: Change, sent: list[Call]) -> str:
    _settle(run, change)
    if change.record is not None:  # proved to be gone: from here on the new one must be found again
        run.store.remove(change.address)
    return _send_creates(run, change, change.calls, sent)


def _send_creates(run: Run, change: Change, calls: Sequence[Call], sent: list[Call]) -> str:
    """Send a create, whose id is recorded before anything else, then the calls that complete the object."""
    record = _send_create(run, change, calls[0], sent)
    for step, call in enumerate(calls[1:], start=1):
        _go_on(run, step, len(calls))
        number = _begin(run, call, {})
        receipt = _send(run, call, number, sent, record)
        record = replace(record, computed=merged(record.computed, receipt.computed))
        _save(run, record, ends=number)
    return record.remote_id


def _send_create(run: Run, change: Change, call: Call, sent: list[Call]) -> Record:
    """Send a create and record its id; objects of one natural key are created one after another."""
    desired, kind = _desired(change), run.kinds[change.address.kind]
    fields = _bound(run, desired.fields)
    creates = run.creates_at(call.connection, kind)
    with creates.turn(fields) as create:
        number = _begin(run, call, fields)
        try:
            receipt = _send(run, call, number, sent)
        except RemoteError as problem:
            made = problem.made
            if made is not None and made.remote_id is not None:
                with run.lock:
                    creates.claimed.add(made.remote_id)
                _save(run, _record(run, desired, made.remote_id, made.fields, merged({}, made.computed)), ends=number)
            raise
        remote_id = receipt.remote_id or _find(run, change, creates, create, receipt.words, number)
        with run.lock:
            if receipt.remote_id is not None:
                _check_new(run, creates, (call.connection, kind.name, remote_id))
                creates.returns_ids = True
                creates.claimed.add(remote_id)
            run.ids[change.address] = remote_id
        record = _record(run, desired, remote_id, {**fields, **receipt.fields}, merged({}, receipt.computed))
        _save(run, record, confirms=number)
    return record


def _check_new(run: Run, creates: Creates, made: tuple[str, str, str]) -> None:
    """Refuse an id that another object has: to record it would make that object ours, to change and to delete."""
    before = made[2] in creates.listed and made not in run.freed
    if before or made[2] in creates.claimed:
        raise OutcomeUnknown(f"the response to the create names object {made[2]}, which existed before")


def _find(run: Run, change: Change, creates: Creates, create: Create, said: str | None, number: int) -> str:
    """Return the id of a create's object, claimed."""
    try:
        live = creates.find(create)
        with run.lock:
            creates.claim(live.remote_id)
    except OutcomeUnknown as lost:
        run.store.close_call(number, confirmed=True)
        if said is not None:
            lost.message += f"; the server said: {said}"
        raise
    if len(change.calls) == 1:
        run.shown[change.address] = live
    return live.remote_id


def _update(run: Run, change: Change, sent: list[Call]) -> str | None:
    """Send each edit's call; after each one the record holds what has been applied so far."""
    desired, record = _desired(change), change.record
    if record is None or change.remote_id is None:
        message = f"{change.address} has no recorded id"
        raise ReconcilerError(message)
    applied, computed = dict(record.fields), change.computed
    if change.action == "adopt":
        if change.edits:  # it is ours before anything of it is changed
            _save(run, record)
            _settle(run, change)
        with run.lock:
            run.ids[change.address] = record.remote_id
    for step, (edit, call) in enumerate(zip(change.edits, change.calls, strict=True), start=1):
        _go_on(run, step - 1, len(change.calls))
        number = _begin(run, call, overwritten(edit))
        receipt = _send(run, call, number, sent, replace(record, computed=computed))
        last = step == len(change.edits)
        applied = dict(desired.fields) if last else _after(applied, edit, run)
        computed = merged(computed, receipt.computed)
        made = _record(run, desired, record.remote_id, applied, computed)
        _save(run, made, confirms=number) if last else _save(run, made, ends=number)
    if not change.edits:
        _save(run, _record(run, desired, record.remote_id, desired.fields, computed))
        _settle(run, change)
    return record.remote_id


def _go_on(run: Run, done: int, of: int) -> None:
    """Raise Interrupted between two calls of an object where the run was asked to stop."""
    if done and run.stop.is_set():
        raise _stopped(run, f"{done} of {of} calls")


def _stopped(run: Run, done: str) -> Interrupted:
    return Interrupted(f"stopped after {done}, because {run.why_stopped}; the next plan shows what is left")


def _after(applied: dict[str, Any], edit: Edit, run: Run) -> dict[str, Any]:
    """Return the applied fields after an edit."""
    if edit.part is None:
        return {**applied, **_bound(run, edit.values)}
    members = [member for member in applied.get(edit.part) or () if member != edit.replaces]
    return {**applied, edit.part: members if edit.effect == "delete" else [*members, dict(edit.values)]}


def _delete(run: Run, change: Change, sent: list[Call]) -> str | None:
    for call in change.calls:
        _send_delete(run, change, call, sent)
    _settle(run, change)
    with run.lock:
        run.ids.pop(change.address, None)
    return change.remote_id


def _send_delete(run: Run, change: Change, call: Call, sent: list[Call]) -> None:
    """Send a delete; the record is removed once reading proves that the object no longer exists."""
    number = _begin(run, call, change.record.fields if change.record else {})
    receipt = _send(run, call, number, sent, change.record)
    if change.record is not None:
        reader, kind = run.open_provider(call.connection), run.kinds[change.address.kind]
        try:
            confirm_gone(reader, kind, change.record, run.stop, found=not receipt.gone)
        except OutcomeUnknown:
            run.store.close_call(number)
            raise
        except RemoteError:
            run.store.end(number)
            raise
    run.store.remove(change.address, ends=number)
    if change.record is not None:
        with run.lock:
            run.freed.add((change.record.connection, change.address.kind, change.record.remote_id))


def _replace(run: Run, change: Change, sent: list[Call]) -> str:
    for call in change.calls:
        if call.effect == "delete":
            _send_delete(run, change, call, sent)
    _settle(run, change)
    return _send_creates(run, change, [call for call in change.calls if call.effect != "delete"], sent)


_STEPS: Mapping[str, Callable[[Run, Change, list[Call]], str | None]] = {
    "create": _create,
    "update": _update,
    "adopt": _update,
    "delete": _delete,
    "replace": _replace,
    "noop": _nothing,
    "unknown": _unread,
}


def _desired(change: Change) -> Desired:
    if change.desired is None:
        message = f"{change.address}: a change of action {change.action} needs a declared object"
        raise ReconcilerError(message)
    return change.desired


def _bound(run: Run, fields: Fields) -> dict[str, Any]:
    with run.lock:
        return {name: bind(value, run.ids) for name, value in fields.items()}


def _save(run: Run, record: Record, *, ends: int | None = None, confirms: int | None = None) -> None:
    """Record what has been applied, and keep what the remote system computed.

    An intent that this `confirms` stays open until a read shows the effect of its call.
    """
    run.store.save(record, ends=ends, confirms=confirms)
    with run.lock:
        run.computed[record.address] = record.computed
        run.saved[record.address] = record


def _record(run: Run, desired: Desired, remote_id: str, fields: Fields, computed: Computed) -> Record:
    return desired.record(run.connections[desired.connection].target, remote_id, _bound(run, fields), computed)


def _begin(run: Run, call: Call, fields: Fields) -> int:
    return begin(run.store, run.run_id, call, run.connections[call.connection], fields)


def _send(run: Run, call: Call, number: int, sent: list[Call], about: Record | None = None) -> Receipt:
    """Send one call `about` an object that exists; an intent stays open exactly where the result is not known."""
    with run.lock:
        ready = replace(call, path=bind_path(call.path, run.ids, call.needs), body=bind(call.body, run.ids))
    if about is not None:
        ready = replace(ready, remote_id=about.remote_id, computed=about.computed)
    sent.append(ready)
    connection = run.connections[call.connection]
    try:
        with noticed(extending(run.store, number, connection)):
            receipt = run.open_provider(call.connection).send(ready)
    except OutcomeUnknown as lost:
        run.written.set()
        over = not lost.pending and (lost.ended or ready.repeatable)  # what may be sent twice need not be waited for
        if not lost.pending:
            run.store.close_call(number, pending_until="" if over else settling(connection))
        if not over:
            lost.message += settling_words(connection)
        raise
    except ReconcilerError as problem:
        if isinstance(problem, RemoteError) and problem.made is not None:
            run.written.set()
            raise  # the record of what it made ends the intent
        if isinstance(problem, NotStarted) or not isinstance(problem, RemoteError):
            sent.pop()  # refused on this side, so certainly not sent
        run.store.end(number)
        if isinstance(problem, NotStarted) and sent:
            raise _stopped(run, count(len(sent), "call")) from problem
        raise
    run.written.set()
    return receipt


def _verdict(run: Run, change: Change, remote_id: str | None, sent: list[Call]) -> Confirmation:
    if change.action == "noop":
        return Confirmation("applied" if change.remembers else "noop")
    if change.action == "unknown":
        return Confirmation("unknown", change.reason)
    if change.action == "delete" or not sent or remote_id is None:
        return Confirmation("applied")
    desired = _desired(change)
    computed = run.computed.get(change.address, {})
    found = confirm(
        run.open_provider(desired.connection),
        run.kinds[change.address.kind],
        remote_id,
        _bound(run, desired.fields),
        computed,
        before=None if change.creates else {item.path: item.before for item in change.fields},
        stop=run.stop,
        shown=run.shown.pop(change.address, None),
    )
    if found.stored:  # the next plan must not take it for a change by someone else
        record = run.saved[change.address]
        _save(run, replace(record, computed=merged(record.computed, {STORED: found.stored})))
    if found.seen:
        run.store.settle(change.address)
    if found.stored and found.state == "applied":
        return replace(found, error=f"{found.error} ({desired.source.path}:{desired.source.line})")
    return found
