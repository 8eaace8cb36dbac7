"""Two booking systems in memory behind the real wording of calls, with every misfortune on demand.

`Remote` holds what is live. It understands the calls that the real providers word, and answers
canonical values. `Office` is a project on top of it: declare, plan, apply, with the real state.
"""

from __future__ import annotations

import copy
import re
import threading
import uuid
from collections.abc import Iterable
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from types import SimpleNamespace

from msgspec.structs import replace

import reconciler
from reconciler.engine.intents import PENDING_MARGIN
from reconciler.errors import OutcomeUnknown, RemoteError
from reconciler.kinds import block as block_kind
from reconciler.kinds import resource as resource_kind
from reconciler.kinds.session import kind as session_kind
from reconciler.model.bookings import Occupancy
from reconciler.model.change import Receipt
from reconciler.model.context import Context
from reconciler.model.limit import TimeLimit
from reconciler.model.objects import Address, Desired, Live, Reading, Ref, SourceRef
from reconciler.model.plan import Selection
from reconciler.providers.base import ProviderSpec
from reconciler.providers.bookingbug_admin import handlers as bookingbug_admin_handlers
from reconciler.providers.bookingbug_admin.settings import AdminSettings
from reconciler.providers.bookingbug_sessions import wire as bookingbug_sessions_wire
from reconciler.settings import Connection, DriftSettings, Policy
from reconciler.state.lease import hold
from reconciler.state.store import Store

KINDS = {kind.name: kind for kind in (session_kind.KIND, resource_kind.KIND, block_kind.KIND)}
WHERE = SourceRef("manifests/all.yaml", 3)
PROJECT_FILE = SourceRef("reconciler.yaml", 5)

OVER_AT_ONCE = -PENDING_MARGIN
"""A timeout after which no call is pending: the fake systems never go on behind anybody's back."""

CONNECTIONS = {
    "sessions": Connection(
        name="sessions",
        provider="bookingbug-sessions",
        base_url="https://uk.bookingbug.com",
        timeout=OVER_AT_ONCE,
        settle_after=0,
        where=PROJECT_FILE,
    ),
    "admin": Connection(
        name="admin",
        provider="bookingbug-admin",
        base_url="https://acme.bookingbug.com",
        settings=AdminSettings(company_id=37004),
        timeout=OVER_AT_ONCE,
        settle_after=0,
        where=PROJECT_FILE,
    ),
}
SESSIONS_CALLS = bookingbug_sessions_wire.calls
ADMIN_CALLS = bookingbug_admin_handlers.calls


def _never_opened(*_):
    raise AssertionError("a test opened a real provider")


PROVIDERS = {
    "bookingbug-sessions": ProviderSpec(
        name="bookingbug-sessions", schema="project", calls=SESSIONS_CALLS, open=_never_opened
    ),
    "bookingbug-admin": ProviderSpec(name="bookingbug-admin", schema="project", calls=ADMIN_CALLS, open=_never_opened),
}


def address(text: str) -> Address:
    return Address.parse(text)


def _desired(kind, name, fields, connection, **more) -> Desired:
    return Desired(address=Address(kind, name), connection=connection, fields=fields, source=WHERE, **more)


def session(address_name: str, *, connection="sessions", protect=False, **spec) -> Desired:
    """A declared session; name, group, type, start_date and time are filled in unless told otherwise."""
    spec = {"name": address_name, "group": "Classes", "type": "event", **spec}
    if "slots" not in spec:
        spec = {"start_date": "2027-03-01", "time": "18:00", **spec}
    spec = {key: value for key, value in spec.items() if value is not None}
    return _desired("Session", address_name, session_kind.canonical(spec), connection, protect=protect)


def resource(address_name: str, *, connection="admin", protect=False, **spec) -> Desired:
    fields = resource_kind.canonical({"name": address_name, **spec})
    return _desired("Resource", address_name, fields, connection, protect=protect)


def block(address_name: str, owner: str, start="2027-03-01T09:00Z", end="2027-03-01T10:00Z") -> Desired:
    """A declared block of the resource whose address name is `owner`."""
    target = Address("Resource", owner)
    fields = {**block_kind.canonical({"start": start, "end": end}), "resource_id": Ref(target)}
    return _desired("Block", address_name, fields, "admin", depends_on=(target,))


class Killed(BaseException):
    """The process died here: nothing after it is recorded."""


REFUSED, LOST_BEFORE, LOST_AFTER, KILLED_BEFORE, KILLED_AFTER, BROKEN = (
    "refused",
    "lost before commit",
    "lost after commit",
    "killed before commit",
    "killed after commit",
    "a defect of the provider",
)


@dataclass
class Remote:
    """What is live, by kind and id, and how the systems misbehave.

    `faults` are taken by writing calls in order, None meaning none; `fault_on` picks by method and path.
    `hidden` fields are kept but never answered; `lies` are answered instead of what is kept.
    """

    objects: dict[str, dict[str, dict]] = field(default_factory=lambda: {"Session": {}, "Resource": {}, "Block": {}})
    faults: list[str | None] = field(default_factory=list)
    fault_on: dict[str, str] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    lies: dict[str, object] = field(default_factory=dict)
    answers_ids: bool = True
    answers_times: bool = True
    unreachable: bool = False
    list_fails: bool = False
    unreadable: set[str] = field(default_factory=set)
    sent: list[str] = field(default_factory=list)
    bodies: list = field(default_factory=list)
    on_send: object = None
    last_id: int = 100
    lock: threading.RLock = field(default_factory=threading.RLock)

    def new_id(self) -> str:
        self.last_id += 1
        return str(self.last_id)

    def put(self, kind: str, fields: dict, remote_id: str | None = None) -> str:
        """Make an object by hand, as somebody in the web interface would."""
        remote_id = remote_id or self.new_id()
        self.objects[kind][remote_id] = copy.deepcopy(dict(fields))
        if "slots" in fields:
            self.objects[kind][remote_id]["slots"] = [self._slot(item) for item in fields["slots"]]
        return remote_id

    def _slot(self, values) -> dict:
        return {"id": self.new_id(), "duration": 60, "spaces_booked": 0, "spaces_reserved": 0, **values}

    def read(self, scope) -> Reading:
        with self.lock:
            if self.unreachable:
                raise RemoteError("no connection")
            return self._read(scope)

    def _read(self, scope) -> Reading:
        known = self.objects[scope.kind]
        asked = set(scope.ids)
        if scope.listing and not self.list_fails:
            asked |= {key for key, item in known.items() for fields in scope.wanted if _alike(scope.kind, item, fields)}
            new = {key: item for key, item in known.items() if key not in scope.familiar}
            asked |= {key for key, item in new.items() for fields in scope.similar if _alike(scope.kind, item, fields)}
        live = {key: Live(remote_id=key, fields=self._answer(known[key])) for key in asked & set(known)}
        unreadable = {key: f"{key} answered 500" for key in asked & self.unreadable}
        gone = asked - set(known)
        if self.list_fails:
            unreadable |= dict.fromkeys(gone, "the list failed")
        listed = frozenset(known) if scope.listing and not self.list_fails else None
        return Reading(
            live={key: item for key, item in live.items() if key not in unreadable},
            absent=frozenset(gone - unreadable.keys()),
            unreadable=unreadable,
            listed=listed,
            failure="the list answered 500" if self.list_fails else None,
        )

    def _answer(self, fields: dict) -> dict:
        shown = {key: copy.deepcopy(value) for key, value in fields.items() if key not in self.hidden}
        shown.update({key: value for key, value in self.lies.items() if key in shown})
        if "slots" in shown and not self.answers_times:
            shown["slots"] = [
                {key: value for key, value in slot.items() if key not in {"time", "duration"}}
                for slot in shown["slots"]
            ]
        return shown

    def bookings(self, windows) -> dict:
        """Nobody books resources here."""
        return {window: Occupancy() for window in windows}

    def send(self, call) -> Receipt:
        line = f"{call.method} {call.path}"
        with self.lock:
            self.sent.append(line)
            self.bodies.append(copy.deepcopy(call.body))
            fault = self.fault_on.pop(line, None) or (self.faults.pop(0) if self.faults else None)
            if self.on_send is not None:
                self.on_send(call)
            if fault == REFUSED:
                raise RemoteError("422: refused", status=422)
            if fault == LOST_BEFORE:
                raise OutcomeUnknown("the answer was lost")
            if fault == KILLED_BEFORE:
                raise Killed
            if fault == BROKEN:
                raise LookupError("a defect")
            receipt = self._carry_out(call)
            if fault == LOST_AFTER:
                raise OutcomeUnknown("the answer was lost")
            if fault == KILLED_AFTER:
                raise Killed
            return receipt

    def _carry_out(self, call) -> Receipt:
        for method, pattern, handler in _ROUTES:
            match = re.fullmatch(pattern, call.path)
            if method == call.method and match:
                return handler(self, call, *match.groups())
        raise AssertionError(f"no such call: {call.method} {call.path}")

    def _created(self, kind: str, fields: dict) -> Receipt:
        remote_id = self.put(kind, fields)
        return Receipt(remote_id=remote_id if self.answers_ids else None)

    def _create_session(self, call, word) -> Receipt:
        return self._created("Session", {**call.body, "type": word})

    def _change_session(self, call, remote_id) -> Receipt:
        kept = self._one("Session", remote_id)
        body = dict(call.body)
        if "slots" in body:
            body["slots"] = [self._slot(item) for item in body["slots"]]
        kept.update(body)
        return Receipt()

    def _change_slot(self, call, slot_id) -> Receipt:
        for kept in self.objects["Session"].values():
            for slot in kept.get("slots", ()):
                if slot["id"] == slot_id:
                    slot.update(call.body)
                    return Receipt()
        raise RemoteError(f"slot {slot_id}: 404", status=404)

    def _create_resource(self, call) -> Receipt:
        return self._created("Resource", resource_kind.canonical(call.body))

    def _change_resource(self, call, remote_id) -> Receipt:
        self._one("Resource", remote_id).update(resource_kind.canonical(call.body))
        return Receipt()

    def _create_block(self, call, owner) -> Receipt:
        self._one("Resource", owner)
        fields = {"resource_id": owner, "start": call.body["start_time"], "end": call.body["end_time"]}
        return self._created("Block", fields)

    def _change_block(self, call, remote_id) -> Receipt:
        names = {"resource_id": "resource_id", "start": "start_time", "end": "end_time"}
        self._one("Block", remote_id).update({key: call.body[name] for key, name in names.items() if name in call.body})
        return Receipt()

    def _one(self, kind: str, remote_id: str) -> dict:
        if remote_id not in self.objects[kind]:
            raise RemoteError(f"{kind} {remote_id}: 404", status=404)
        return self.objects[kind][remote_id]

    def _delete(self, kind: str, remote_id: str) -> Receipt:
        gone = self.objects[kind].pop(remote_id, None) is None
        return Receipt(gone=gone)

    def close(self) -> None:
        pass


_ADMIN = r"/api/v1/admin/37004"
_ROUTES = (
    ("POST", r"/api/sessions\.xml\?type=(\w+)", Remote._create_session),
    ("PUT", r"/api/sessions/(\d+)\.xml", Remote._change_session),
    ("PUT", r"/api/slots/(\d+)\.xml", Remote._change_slot),
    ("DELETE", r"/api/sessions/(\d+)\.xml", lambda self, _, key: self._delete("Session", key)),
    ("POST", rf"{_ADMIN}/resources", Remote._create_resource),
    ("PUT", rf"{_ADMIN}/resources/(\d+)", Remote._change_resource),
    ("PUT", rf"{_ADMIN}/resources/(\d+)/block", Remote._create_block),
    ("PUT", rf"{_ADMIN}/slots/(\d+)", Remote._change_block),
    ("DELETE", rf"{_ADMIN}/resources/(\d+)", lambda self, _, key: self._delete("Resource", key)),
    ("DELETE", rf"{_ADMIN}/slots/(\d+)", lambda self, _, key: self._delete("Block", key)),
)


def _alike(kind: str, item: dict, wanted) -> bool:
    if kind == "Session":
        return all(item.get(key) == wanted[key] for key in ("name", "group") if key in wanted)
    return bool(set(KINDS[kind].identities(item)) & set(KINDS[kind].identities(wanted)))


class Office:
    """A project, its state and the systems it manages."""

    def __init__(self, remote: Remote | None = None, connections=None, store: Store | None = None) -> None:
        self.remote = remote or Remote()
        self.remotes: dict[str, Remote] = {}
        self.store = store or Store("sqlite://", project="acme")
        self.kinds, self.providers = KINDS, PROVIDERS
        self.limit = TimeLimit()
        self.context = Context()
        self.project = SimpleNamespace(
            name="acme",
            environment=None,
            connections=connections or dict(CONNECTIONS),
            policy=Policy(),
            drift=DriftSettings(),
            currency=None,
            manifests_at={},
        )
        self.outcomes: list = []

    def resolve_credentials(self, _names, _memory=None) -> None:
        """Credentials are not needed here."""

    def remember_hosts(self, _run_id, *, writes) -> None:
        """Every host is trusted here."""

    def backup(self, _command) -> None:
        """The state of a test is its own backup."""

    def reader(self, connection) -> Remote:
        return self.remotes.get(connection, self.remote)

    writer = reader

    @contextmanager
    def hold(self, *, timeout: float = 0.0):
        run_id = uuid.uuid4().hex
        with hold(self.store, run_id, timeout=timeout):
            yield run_id

    def cancelled_by(self, _stop):
        """Nothing waits here."""
        return nullcontext()

    def look(self, *desired: Desired, destroying=False, targets=(), excludes=()):
        """Plan, with what the plan was made from."""
        declared = reconciler.Declared(
            desired={item.address: item for item in desired}, problems=(), files=1, documents=1
        )
        return reconciler.plan(self, declared, Selection(targets=targets, excludes=excludes), destroying=destroying)

    def plan(self, *desired: Desired, **options):
        return self.look(*desired, **options).plan

    def carry_out(self, planned, *, workers=4, stop=None):
        """Apply a plan with every override: what the guards refuse has tests of its own."""
        everything = ("*",) if planned.plan.changes else ()
        overrides = reconciler.Overrides(
            allow_booked=everything,
            allow_shared=everything,
            allow_missing=everything,
            allow_unknown=everything,
            max_deletes=100_000,
            max_change_percent=100,
            allow_empty=True,
        )
        callbacks = reconciler.Callbacks(stop=stop or threading.Event(), on_outcome=self.outcomes.append)
        return reconciler.apply(self, planned, overrides=overrides, workers=workers, callbacks=callbacks)

    def apply(self, *desired: Desired, workers=4, stop=None, **options):
        return self.carry_out(self.look(*desired, **options), workers=workers, stop=stop)

    def record(self, text: str):
        return self.store.records().get(address(text))

    def elsewhere(self) -> Remote:
        """Add the connection `other`, to a system of its own."""
        self.project.connections["other"] = self.project.connections["sessions"]
        self.retarget("other", "https://us.bookingbug.com")
        self.remotes["other"] = Remote()
        return self.remotes["other"]

    def retarget(self, name: str, base_url: str) -> None:
        self.project.connections[name] = replace(self.project.connections[name], base_url=base_url)

    @property
    def live(self) -> dict[str, dict[str, dict]]:
        return self.remote.objects

    def only(self, kind: str) -> dict:
        """The one live object of a kind."""
        (found,) = self.live[kind].values()
        return found


def states(report) -> dict[str, str]:
    return {str(outcome.address): outcome.state for outcome in report.outcomes}


def actions(plan) -> dict[str, str]:
    return {str(change.address): change.action for change in plan.changes}


def outcome(report, text: str):
    (found,) = [item for item in report.outcomes if str(item.address) == text]
    return found


def codes(items: Iterable) -> set[str]:
    return {item.code for item in items}
