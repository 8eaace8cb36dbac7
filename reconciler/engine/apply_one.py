"""Carrying out one object's change: intent, call, record, and a look at what the server made of it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from reconciler.engine.expiry import declaration
from reconciler.engine.identity import created
from reconciler.engine.intents import pending_until, prolonging
from reconciler.engine.readback import confirm, confirm_gone
from reconciler.engine.recover import intended, unread_stranger
from reconciler.engine.snapshot import Place
from reconciler.errors import INTERRUPTED, Interrupted, NotStarted, OutcomeUnknown, ReconcilerError, RemoteError
from reconciler.model.canonical import now
from reconciler.model.change import Call, Change, Edit, Receipt, bind, bind_path, merged
from reconciler.model.kind import Kind
from reconciler.model.objects import Address, Computed, Desired, Fields, Intent, Record, Scope
from reconciler.model.report import Outcome, State
from reconciler.providers.base import Provider
from reconciler.providers.notice import noticed
from reconciler.settings import Connection

_log = logging.getLogger("reconciler.apply")


class Ledger(Protocol):
    """What a run needs of the state: each method is durable, and one transaction, when it returns."""

    def begin(self, intent: Intent, *, fenced: bool = False) -> int:
        """Record a writing call that is about to be sent, if the run may still write; return its number."""
        ...

    def end(self, number: int) -> None:
        """Forget an intent whose call certainly had no effect."""
        ...

    def quieten(self, number: int) -> None:
        """Record that an intent's call has ended, though with what result is not known."""
        ...

    def prolong(self, number: int, pending_until: str) -> None:
        """Record that an intent's call starts later than was thought; ReconcilerError: it must not be sent."""
        ...

    def settle(self, address: Address) -> None:
        """Forget every open intent of an address that has been looked at."""
        ...

    def save(self, record: Record, *, ends: int | None = None) -> None:
        """Write an object's record and end the intent that led to it."""
        ...

    def remove(self, address: Address, *, ends: int | None = None, given_up: str | None = None) -> bool:
        """Forget an object and end the intent that led to it; `given_up` is kept of one that expired."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one apply works with. `ids` grows as objects are created; `lock` guards it and `claimed`.

    `telling` are the places whose answers to a creation are known to hold the new id.
    `listed` are the ids that were live before the run, by place: an object created now is none of them.
    `computed` holds what the remote systems have worked out for each object so far; `written` is set once
    a call changed, or may have changed, something; once `stop` is set, no call is started.
    """

    run_id: str
    store: Ledger
    kinds: Mapping[str, Kind]
    connections: Mapping[str, Connection]
    open_provider: Callable[[str], Provider]
    listed: Mapping[Place, frozenset[str]]
    ids: dict[Address, str]
    computed: dict[Address, Computed] = field(default_factory=dict)
    claimed: set[tuple[str, str, str]] = field(default_factory=set)
    lock: threading.RLock = field(default_factory=threading.RLock)
    telling: set[Place] = field(default_factory=set)
    place_locks: dict[Place, threading.Lock] = field(default_factory=dict)
    written: threading.Event = field(default_factory=threading.Event)
    stop: threading.Event = field(default_factory=threading.Event)


def carry_out(run: Run, change: Change) -> Outcome:
    """Carry out one change and say how it ended; never raises for anything remote."""
    sent: list[Call] = []
    try:
        remote_id = _STEPS[change.action](run, change, sent)
        state, error = _verdict(run, change, remote_id, sent)
    except OutcomeUnknown as problem:
        remote_id, state, error = change.remote_id, "unknown", problem.message
    except Interrupted as problem:
        remote_id, state, error = change.remote_id, "blocked", problem.message
    except RemoteError as problem:
        remote_id, state, error = change.remote_id, "failed", problem.message
    except ReconcilerError as problem:  # of our own making, such as a state that could not be written after a call
        remote_id, state, error = change.remote_id, "unknown" if sent else "failed", problem.message
    except Exception as problem:  # noqa: BLE001 - a defect of ours must not lose the outcomes of the others
        _log.debug("internal error at %s", change.address, exc_info=True)
        remote_id, state = change.remote_id, "unknown" if sent else "failed"
        error = f"internal error: {type(problem).__name__}: {problem}"
    return Outcome(
        address=change.address,
        action=change.action,
        state=state,
        remote_id=_shown_id(run, change, remote_id),
        error=error,
        calls=len(sent),
    )


def _shown_id(run: Run, change: Change, remote_id: str | None) -> str | None:
    """Return an id as a report may show it; one that comes from the plan is masked already."""
    kind = run.kinds[change.address.kind]
    return remote_id if remote_id == change.remote_id else kind.public_id(remote_id)


def _nothing(run: Run, change: Change, sent: list[Call]) -> str | None:  # noqa: ARG001 - one signature for all steps
    """Bring the record up to date where only what we remember differs: a field or protection no longer stated."""
    if change.expired:
        return change.remote_id  # the record stays what was last applied
    if change.desired is not None and change.record is not None:
        record = _record(run, change.desired, change.record.remote_id, change.desired.fields, change.computed)
        same = replace(record, created_at=change.record.created_at, updated_at=change.record.updated_at)
        if change.unsettled or same != change.record:
            _save(run, record)
    _settle(run, change)
    return change.remote_id


def _settle(run: Run, change: Change) -> None:
    """Forget earlier calls of unknown result, once the live system has been looked at and the record is right."""
    if change.unsettled:
        run.store.settle(change.address)


def _unread(run: Run, change: Change, sent: list[Call]) -> str | None:  # noqa: ARG001 - one signature for all steps
    return change.remote_id


def _create(run: Run, change: Change, sent: list[Call]) -> str:
    _settle(run, change)
    if change.record is not None:  # proved gone: from here on the new one is what must be found again
        run.store.remove(change.address)
    return _send_creation(run, change, change.calls, sent)


def _send_creation(run: Run, change: Change, calls: Sequence[Call], sent: list[Call]) -> str:
    """Send a creation, whose id is recorded before anything else, then the calls that complete the object."""
    record = _send_create(run, change, calls[0], sent)
    for step, call in enumerate(calls[1:], start=1):
        _go_on(run, step, len(calls))
        number = _begin(run, call, {})
        receipt = _send(run, call, number, sent, record)
        record = replace(record, computed=merged(record.computed, receipt.computed))
        _save(run, record, ends=number)
    return record.remote_id


def _send_create(run: Run, change: Change, call: Call, sent: list[Call]) -> Record:
    """Send a creation and record its id; objects that look alike are created one after another."""
    desired, kind = _desired(change), run.kinds[change.address.kind]
    fields = _bound(run, desired.fields)
    with _one_at_a_time(run, (call.connection, kind.name)):
        number = _begin(run, call, fields)
        receipt = _send(run, call, number, sent)
        remote_id = receipt.remote_id or _find_created(run, kind, call.connection, fields)
        with run.lock:
            if receipt.remote_id is not None:
                run.telling.add((call.connection, kind.name))
            run.claimed.add((call.connection, kind.name, remote_id))
            run.ids[change.address] = remote_id
        record = _record(run, desired, remote_id, {**fields, **receipt.fields}, merged({}, receipt.computed))
        _save(run, record, ends=number)
    return record


@contextmanager
def _one_at_a_time(run: Run, place: Place) -> Iterator[None]:
    """Let creations at a place run side by side only once its answers are known to tell the new id.

    Where they do not, the new object has to be told from all others, and two new ones at once could not be.
    """
    with run.lock:
        lock = run.place_locks.setdefault(place, threading.Lock())
    lock.acquire()
    if place in run.telling:
        lock.release()
        yield
        return
    try:
        yield
    finally:
        lock.release()


def _find_created(run: Run, kind: Kind, connection: str, fields: Fields) -> str:
    """Find what a creation made whose answer held no id: exactly one new object that is as we sent it."""
    try:
        reading = run.open_provider(connection).read(Scope(kind=kind.name, wanted=(fields,)))
    except RemoteError as error:
        message = f"created, but the answer held no id and the new object could not be looked for: {error.message}"
        raise OutcomeUnknown(message) from error
    with run.lock:
        taken = {remote_id for where, name, remote_id in run.claimed if (where, name) == (connection, kind.name)}
    taken |= run.listed.get((connection, kind.name), frozenset())
    found = created(kind, fields, reading, taken)
    stranger = unread_stranger(reading, taken)
    if len(found) == 1 and stranger is None:
        return found[0].remote_id
    why = reading.failure or stranger or f"{len(found)} new live objects look like it; expected exactly one"
    message = f"created, but the answer held no id, and {why}"
    raise OutcomeUnknown(message)


def _update(run: Run, change: Change, sent: list[Call]) -> str | None:
    """Send each edit's call; after each one the record holds what has been applied so far."""
    desired, record = _desired(change), change.record
    if record is None or change.remote_id is None:
        message = f"{change.address} has no recorded id"
        raise ReconcilerError(message)
    applied, computed = dict(record.fields), change.computed
    if change.action == "adopt":
        _save(run, record)
        _settle(run, change)
        with run.lock:
            run.ids[change.address] = record.remote_id
    for step, (edit, call) in enumerate(zip(change.edits, change.calls, strict=True), start=1):
        _go_on(run, step - 1, len(change.calls))
        number = _begin(run, call, intended(edit))
        receipt = _send(run, call, number, sent, replace(record, computed=computed))
        applied = _after(applied, edit, run) if step < len(change.edits) else dict(desired.fields)
        computed = merged(computed, receipt.computed)
        _save(run, _record(run, desired, record.remote_id, applied, computed), ends=number)
    if not change.edits:
        _save(run, _record(run, desired, record.remote_id, desired.fields, computed))
    _settle(run, change)
    return record.remote_id


def _go_on(run: Run, done: int, of: int) -> None:
    """Raise Interrupted between two calls of an object where the run was asked to stop; what was done is recorded."""
    if done and run.stop.is_set():
        raise _stopped(f"{done} of {of} calls")


def _stopped(done: str) -> Interrupted:
    return Interrupted(f"stopped after {done}, {INTERRUPTED}; the next plan shows what is left")


def _after(applied: dict[str, Any], edit: Edit, run: Run) -> dict[str, Any]:
    """Return the applied fields once an edit has been carried out."""
    if edit.part is None:
        return {**applied, **_bound(run, edit.values)}
    members = [member for member in applied.get(edit.part) or () if member != edit.replaces]
    return {**applied, edit.part: members if edit.effect == "delete" else [*members, dict(edit.values)]}


def _delete(run: Run, change: Change, sent: list[Call]) -> str | None:
    for call in change.calls:
        _send_delete(run, change, call, sent)
    forgets = change.expired and change.desired is not None
    if forgets or not change.calls:  # each call sent has removed the record already
        given_up = declaration(run.kinds[change.address.kind], _desired(change).fields) if forgets else None
        run.store.remove(change.address, given_up=given_up)
    _settle(run, change)
    with run.lock:
        run.ids.pop(change.address, None)
    return change.remote_id


def _send_delete(run: Run, change: Change, call: Call, sent: list[Call]) -> None:
    """Send a deletion; the record goes once the object is seen to be gone, not on the word of an answer."""
    number = _begin(run, call, change.record.fields if change.record else {})
    receipt = _send(run, call, number, sent, change.record)
    if not receipt.gone and change.record is not None:
        try:
            confirm_gone(run.open_provider(call.connection), run.kinds[change.address.kind], change.record)
        except OutcomeUnknown:
            run.store.quieten(number)
            raise
        except RemoteError:
            run.store.end(number)
            raise
    run.store.remove(change.address, ends=number)


def _replace(run: Run, change: Change, sent: list[Call]) -> str:
    for call in change.calls:
        if call.effect == "delete":
            _send_delete(run, change, call, sent)
    _settle(run, change)
    return _send_creation(run, change, [call for call in change.calls if call.effect != "delete"], sent)


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


def _save(run: Run, record: Record, *, ends: int | None = None) -> None:
    """Record what has been applied, and keep at hand what the remote system worked out."""
    run.store.save(record, ends=ends)
    with run.lock:
        run.computed[record.address] = record.computed


def _record(run: Run, desired: Desired, remote_id: str, fields: Fields, computed: Computed) -> Record:
    return Record(
        address=desired.address,
        connection=desired.connection,
        target=run.connections[desired.connection].target,
        remote_id=remote_id,
        fields=_bound(run, fields),
        computed=computed,
        protect=desired.protect,
        depends_on=desired.depends_on,
    )


def _begin(run: Run, call: Call, fields: Fields) -> int:
    """Record durably what is about to be sent: whatever happens next, it will be looked for."""
    return run.store.begin(
        Intent(
            run_id=run.run_id,
            address=call.address,
            connection=call.connection,
            target=run.connections[call.connection].target,
            effect=call.effect,
            fields=fields,
            started_at=now(),
            pending_until=pending_until(run.connections[call.connection].timeout),
        ),
        fenced=True,
    )


def _send(run: Run, call: Call, number: int, sent: list[Call], about: Record | None = None) -> Receipt:
    """Send one call `about` an object that exists; an intent stays open exactly where the result is not known."""
    with run.lock:
        ready = replace(call, path=bind_path(call.path, run.ids, call.needs), body=bind(call.body, run.ids))
    if about is not None:
        ready = replace(ready, remote_id=about.remote_id, computed=about.computed)
    sent.append(ready)
    try:
        with noticed(prolonging(run.store, number)):
            receipt = run.open_provider(call.connection).send(ready)
    except OutcomeUnknown as lost:
        run.written.set()
        if not lost.pending:
            run.store.quieten(number)
        raise
    except ReconcilerError as problem:
        run.store.end(number)
        if isinstance(problem, NotStarted):
            sent.pop()
            if sent:
                raise _stopped(f"{len(sent)} call{'s' * (len(sent) > 1)}") from problem
        raise
    run.written.set()
    return receipt


def _verdict(run: Run, change: Change, remote_id: str | None, sent: list[Call]) -> tuple[State, str | None]:
    if change.action == "noop":
        return "noop", None
    if change.action == "unknown":
        return "unknown", change.reason
    if change.action == "delete" or not sent or remote_id is None:
        return "applied", None
    desired = _desired(change)
    computed = run.computed.get(change.address, {})
    reader = run.open_provider(desired.connection)
    return confirm(reader, run.kinds[change.address.kind], remote_id, _bound(run, desired.fields), computed)
