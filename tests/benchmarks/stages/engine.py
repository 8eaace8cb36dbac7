"""From what is declared, recorded and live to a plan, an adoption, an export, a drift report and their text."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from io import StringIO
from itertools import pairwise
from pathlib import Path

from rich.console import Console

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from engine_fakes import CONNECTIONS, KINDS, PROVIDERS, WHERE, Office, block, resource, session
from values import replace

from reconciler.engine.adopt import match
from reconciler.engine.drift import drift
from reconciler.engine.duplicates import suspects
from reconciler.engine.expiry import with_ended
from reconciler.engine.export import Surroundings, addressed
from reconciler.engine.guards import Case, judge
from reconciler.engine.ignore import judge as ignored
from reconciler.engine.impact import Bookings
from reconciler.engine.ledger import Memory
from reconciler.engine.moves import find_moves
from reconciler.engine.overrides import Overrides
from reconciler.engine.plan import decide_all, make_plan
from reconciler.engine.snapshot import Snapshot
from reconciler.engine.world import World
from reconciler.kinds.booking_session import kind as booking_session
from reconciler.kinds.session.slots import compare_slots
from reconciler.model.kind import ADOPT_ID
from reconciler.model.objects import Address, Desired, Intent, Live, Reading, Record, Users
from reconciler.model.plan import Plan
from reconciler.model.report import Outcome, Report
from reconciler.render import html, markdown, text
from reconciler.settings import DriftIgnore, Policy

Run = Callable[[], object]


def _reading(lives: list[Live], absent=(), unreadable=None) -> Reading:
    return Reading(
        live={live.remote_id: live for live in lives},
        absent=frozenset(absent),
        unreadable=unreadable or {},
        listed=frozenset(live.remote_id for live in lives),
    )


def _live(number: int, item: Desired, **fields) -> Live:
    slots = item.fields.get("slots")
    shown = {**item.fields, **fields}
    if slots is not None:
        shown["slots"] = [
            {**slot, "id": f"{number}{place:05}", "spaces_booked": 1, "spaces_reserved": 0}
            for place, slot in enumerate(slots)
        ]
    return Live(remote_id=str(number), fields=shown)


def _record(number: int, item: Desired, connections=CONNECTIONS, **more) -> Record:
    return Record(
        address=item.address,
        connection=item.connection,
        target=connections[item.connection].target,
        remote_id=str(number),
        fields=item.fields,
        depends_on=item.depends_on,
        **more,
    )


def _sessions(size: int, **spec) -> list[Desired]:
    return [session(f"class-{number}", **spec) for number in range(size)]


def planning(desired, records=(), readings=None, connections=CONNECTIONS, **world) -> Run:
    """Return what decides and makes the plan of these objects."""
    records = {item.address: item for item in records}
    desired = {item.address: item for item in desired}
    made = World(
        desired=desired,
        records=records,
        selected=frozenset(desired.keys() | records.keys()),
        kinds=KINDS,
        providers=PROVIDERS,
        connections=connections,
        **world,
    )
    nothing = {
        ("sessions", "Session"): _reading([]),
        ("admin", "Resource"): _reading([]),
        ("admin", "Block"): _reading([]),
    }
    snapshot = Snapshot(readings={**nothing, **(readings or {})})

    def run() -> Plan:
        for reading in snapshot.readings.values():
            reading.memo.clear()  # each run looks anew
        return make_plan(made, decide_all(made, snapshot), Bookings())

    return run


SESSIONS = ("sessions", "Session")
RESOURCES = ("admin", "Resource")


def _new(size: int) -> Run:
    return planning(_sessions(size))


def _twins(size: int) -> Run:
    items = _sessions(size)
    return planning(items, readings={SESSIONS: _reading([_live(1000 + n, item) for n, item in enumerate(items)])})


def _one_name(size: int) -> Run:
    items = [session(f"class-{n}", name="Yoga", time=f"{n % 24:02}:{n // 24 % 60:02}") for n in range(size)]
    return planning(items, readings={SESSIONS: _reading([_live(1000 + n, item) for n, item in enumerate(items)])})


def _look_alikes(size: int, *, timed: bool = False, **live) -> Run:
    """Return n new classes of one name, beside as many live ones, of which some fields are other ones."""
    items = [session(f"class-{n}", name="Yoga", time=_time(n if timed else 0)) for n in range(size)]
    lives = [_live(1000 + n, item, **live) for n, item in enumerate(items)]
    return planning(items, readings={SESSIONS: _reading(lives)})


def _time(number: int) -> str:
    return f"{number // 60 % 24:02}:{number % 60:02}"


def _new_beside_managed(size: int) -> Run:
    old = [session(f"old-{number}") for number in range(size)]
    lives = [_live(1000 + n, item) for n, item in enumerate(old)]
    records = [_record(1000 + n, item) for n, item in enumerate(old)]
    return planning([*old, *_sessions(size)], records, {SESSIONS: _reading(lives)})


def _new_like_managed(size: int, *, live: dict, unread: bool = False, timed: bool = True) -> Run:
    """Return n new classes of one name beside as many managed ones of that name."""

    def classes(prefix: str) -> list[Desired]:
        times = [f"{n // 60 % 24:02}:{n % 60:02}" if timed else "11:00" for n in range(size)]
        return [session(f"{prefix}-{n}", name="Yoga", time=time) for n, time in enumerate(times)]

    old = classes("old")
    records = [_record(1000 + n, item) for n, item in enumerate(old)]
    reading = _reading([] if unread else [_live(1000 + n, item, **live) for n, item in enumerate(old)])
    if unread:
        reading = _reading([], unreadable={record.remote_id: "500" for record in records})
    return planning([*old, *classes("new")], records, {SESSIONS: reading})


def _many_connections(size: int) -> Run:
    """Return n connections to accounts of one system, each with a managed class, and ids that were seen there."""
    accounts = {f"s{n}": replace(CONNECTIONS["sessions"], name=f"s{n}").with_user((f"user-{n}",)) for n in range(size)}
    items = [session(f"class-{n}", connection=f"s{n}") for n in range(size)]
    records = [_record(1000 + n, item, accounts) for n, item in enumerate(items)]
    readings = {(f"s{n}", "Session"): _reading([_live(1000 + n, item)]) for n, item in enumerate(items)}
    seen = {(record.target, "Session"): frozenset({record.remote_id}) for record in records}
    return planning(items, records, readings, {**CONNECTIONS, **accounts}, seen=seen)


def _unreadable(size: int) -> Run:
    return planning(_sessions(size), readings={SESSIONS: _reading([], unreadable={str(n): "500" for n in range(size)})})


def _all_changed(size: int) -> Run:
    items = _sessions(size)
    lives = [_live(1000 + n, item, group="Other") for n, item in enumerate(items)]
    return planning(items, [_record(1000 + n, item) for n, item in enumerate(items)], {SESSIONS: _reading(lives)})


def _renamed(size: int) -> Run:
    items = _sessions(size)
    old = [replace(item, address=Address("Session", f"old-{n}")) for n, item in enumerate(items)]
    records = [_record(1000 + n, item) for n, item in enumerate(old)]
    lives = [_live(1000 + n, item) for n, item in enumerate(items)]
    return planning(items, records, {SESSIONS: _reading(lives)})


def _moves(size: int) -> Run:
    items = [replace(item, moved_from=(Address("Session", f"old-{n}"),)) for n, item in enumerate(_sessions(size))]
    known = {item.moved_from[0] for item in items}
    return lambda: find_moves({item.address: item for item in items}, known)


def _applied_moves(size: int) -> Run:
    office = Office()
    items = _sessions(size)
    for number, item in enumerate(items):
        office.store.save(_record(1000 + number, item))
    turn = iter(range(1000))

    def run() -> None:
        there, back = ("class", "moved") if next(turn) % 2 == 0 else ("moved", "class")
        moves = {Address("Session", f"{there}-{n}"): Address("Session", f"{back}-{n}") for n in range(size)}
        office.store.rename_all(moves)

    return run


def _former_names(size: int) -> Run:
    item = replace(session("one"), moved_from=tuple(Address("Session", f"old-{n}") for n in range(size)))
    return planning([item], [_record(7, replace(item, address=Address("Session", f"old-{size - 1}")))], {})


def _chain(size: int) -> Run:
    items = _sessions(size)
    linked = [items[0]] + [replace(item, depends_on=(before.address,)) for before, item in pairwise(items)]
    return planning(linked)


def _star(size: int) -> Run:
    return planning(
        [
            resource("room"),
            *(
                block(
                    f"b-{n}",
                    "room",
                    f"2027-03-{1 + n % 28:02}T{n % 20:02}:{n // 600:02}Z",
                    f"2027-03-{1 + n % 28:02}T{n % 20 + 1:02}:{n // 600:02}Z",
                )
                for n in range(size)
            ),
        ]
    )


def _slots(size: int, *, times: bool, same_day: bool, moved: int) -> Run:
    def slot(number: int) -> dict:
        day = "2027-03-01" if same_day else f"{2027 + number // 336}-{1 + number // 28 % 12:02}-{1 + number % 28:02}"
        return {"date": day, "time": f"{number // 60:02}:{number % 60:02}", "duration": 30}

    wanted = [slot(number) for number in range(size)]
    live = [
        {
            **(slot(number + moved) if times else {"date": slot(number)["date"]}),
            "id": str(number),
            "spaces_booked": 1,
            "spaces_reserved": 0,
        }
        for number in range(size)
    ]
    if not times and moved:
        live = [{**item, "date": "2028-01-01"} for item in live]
    return partial(compare_slots, wanted, live, wanted)


def _slots_replaced(size: int) -> Run:
    run = _slots(size, times=False, same_day=True, moved=0)
    return partial(compare_slots, run.args[0][: size - 1], run.args[1], [])


def _exchanged(size: int) -> Run:
    def rooms(shift: int) -> list[Desired]:
        return [resource(f"room-{n}", api_ref=f"ref-{n ^ shift}") for n in range(size)]

    old = rooms(0)
    records = [_record(1000 + n, item) for n, item in enumerate(old)]
    return planning(rooms(1), records, {RESOURCES: _reading([_live(1000 + n, item) for n, item in enumerate(old)])})


def _passed_on(size: int) -> Run:
    old = [resource(f"room-{n}", api_ref=f"ref-{n}") for n in range(size)]
    new = [resource(f"room-{n}", api_ref=f"ref-{n + 1}") for n in range(size)]
    records = [_record(1000 + n, item) for n, item in enumerate(old)]
    return planning(new, records, {RESOURCES: _reading([_live(1000 + n, item) for n, item in enumerate(old)])})


def _one_reference(size: int) -> Run:
    old = [resource(f"room-{n}", api_ref="same") for n in range(size)]
    new = [resource(f"room-{n}", api_ref="same" if n else "other") for n in range(size)]
    records = [_record(1000 + n, item) for n, item in enumerate(old)]
    return planning(
        [*new, resource("new", api_ref="same")],
        records,
        {RESOURCES: _reading([_live(1000 + n, item) for n, item in enumerate(old)])},
    )


def _intents(items: list[Desired]) -> dict:
    lost = Intent(
        run_id="r",
        address=items[0].address,
        connection=items[0].connection,
        target=CONNECTIONS[items[0].connection].target,
        effect="create",
        fields={},
        started_at="2027-01-01T00:00:00Z",
        pending_until="2027-01-01T00:00:01Z",
    )
    return {item.address: (replace(lost, address=item.address, fields=item.fields),) for item in items}


def _shared_address(size: int, *, apart: bool = False, managed: bool = True) -> Run:
    """Return n resources that share one address and change it: all in the same way, or each `apart`."""
    new = [resource(f"room-{n}", address={"address1": f"{n if apart else 2} Low Rd"}) for n in range(size)]
    old = [resource(f"room-{n}", address={"address1": "1 High St"}) for n in range(size)]
    others = 0 if managed else size
    users = {"address": Users(names={str(n): f"Room {n}" for n in range(size + others)})}
    lives = [replace(_live(n, item), shared=users) for n, item in enumerate(old)]
    records = [_record(n, item) for n, item in enumerate(old)]
    return planning(new, records, {RESOURCES: _reading(lives)})


def _lost_creates(size: int, *, found: bool = True, alike: str | None = None, **live) -> Run:
    """Return n interrupted creates, perhaps of one natural key and `alike` but for one field."""
    items = _sessions(size)
    if alike is not None:
        values = [{alike: n + 1} if alike else {} for n in range(size)]
        items = [session(f"class-{n}", name="Yoga", **value) for n, value in enumerate(values)]
    other = [live if found else {"name": f"Other {n}"} for n in range(size)]
    lives = [_live(1000 + n, item, **fields) for n, (item, fields) in enumerate(zip(items, other, strict=True))]
    lives = [replace(item, fields={key: value for key, value in item.fields.items() if value != ""}) for item in lives]
    baselines = {("r", *SESSIONS): frozenset() if found else frozenset(live.remote_id for live in lives)}
    return planning(
        items, (), {SESSIONS: _reading(lives)}, intents=_intents(items), baselines=baselines, now="2027-02-01T00:00:00Z"
    )


def _suspects(size: int, *, doubtful: bool = False, apart: bool = False) -> Run:
    """Return n unknown objects beside n managed ones of one name, or of n creates of unknown result."""
    times = [f"{n // 60 % 24:02}:{n % 60:02}" for n in range(size)]
    items = [session(f"class-{n}", name=f"Yoga {n}" if doubtful else "Yoga", time=times[n]) for n in range(size)]
    lives = [_live(1000 + n, item) for n, item in enumerate(items)]
    second = [
        _live(1_000_000 + n, item, **({"name": "Yoga", "time": "23:59"} if apart else {}))
        for n, item in enumerate(items)
    ]
    intents = _intents(items) if doubtful else {}
    world = World(
        desired={item.address: item for item in items},
        records={} if doubtful else {item.address: _record(1000 + n, item) for n, item in enumerate(items)},
        selected=frozenset(item.address for item in items),
        kinds=KINDS,
        providers=PROVIDERS,
        connections=CONNECTIONS,
        doubts=tuple(intent for found in intents.values() for intent in found),
        baselines={("r", *SESSIONS): frozenset(str(n) for n in range(size))},
    )
    return partial(suspects, world, Snapshot(readings={SESSIONS: _reading([*([] if doubtful else lives), *second])}))


def _refused(size: int) -> Run:
    """Return n held bookings that the server no longer shows."""
    holds = [
        Desired(address=Address("BookingSession", f"h-{n}"), connection="sessions", fields={}, source=WHERE)
        for n in range(size)
    ]
    records = [_record(n, item, updated_at="2027-01-01T00:00:00Z") for n, item in enumerate(holds)]
    ids = [record.remote_id for record in records]
    reading = replace(_reading([], unreadable=dict.fromkeys(ids, "500")), refused=frozenset(ids))
    snapshot = Snapshot(readings={("sessions", "BookingSession"): reading})
    return partial(with_ended, snapshot, records, {"BookingSession": booking_session.KIND}, "2027-02-01T00:00:00Z")


def _adopting(size: int, *, same: bool, found: bool) -> Run:
    items = [session(f"class-{n}", name="Yoga" if same else f"class-{n}") for n in range(size)]
    lives = [_live(1000 + n, item, group="Classes" if found else f"Other {n}") for n, item in enumerate(items)]
    return partial(match, KINDS["Session"], items, _reading(lives), {}, {})


def _claimed(size: int) -> Run:
    items = [replace(item, annotations={ADOPT_ID: str(1000 + n)}) for n, item in enumerate(_sessions(size))]
    lives = [_live(1000 + n, item) for n, item in enumerate(items)]
    return partial(match, KINDS["Session"], items, _reading(lives), {}, {})


def _exported(size: int) -> Run:
    lives = [_live(1000 + n, session("one", name="Yoga")) for n in range(size)]
    around = Surroundings(
        kinds=KINDS,
        targets={name: item.target for name, item in CONNECTIONS.items()},
        snapshot=Snapshot(readings={SESSIONS: _reading(lives)}),
        records={},
        desired={},
        window=("2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z"),
    )
    return partial(addressed, around)


def _drift(size: int, *, missing: bool) -> Run:
    items = _sessions(size)
    records = [_record(1000 + n, item) for n, item in enumerate(items)]
    lives = [] if missing else [_live(1000 + n, item, group="Other") for n, item in enumerate(items)]
    reading = _reading(lives, absent=[record.remote_id for record in records] if missing else ())
    memory = Memory(records={item.address: item for item in records})
    return partial(drift, memory, frozenset(memory.records), Snapshot(readings={SESSIONS: reading}), KINDS, CONNECTIONS)


def _deleted_plan(size: int):
    items = [
        session(f"class-{n}", slots=[{"date": "2027-03-01", "time": "11:00"}], repeat="custom") for n in range(size)
    ]
    records = [_record(1000 + n, item, protect=True) for n, item in enumerate(items)]
    lives = [_live(1000 + n, item) for n, item in enumerate(items)]
    return planning([], records, {SESSIONS: _reading(lives)})()


def _guards(size: int) -> Run:
    plan = _deleted_plan(size)
    case = Case(plan=plan, policy=Policy(), overrides=Overrides(), others={}, manifests_at=WHERE)
    return partial(judge, case)


def _allowed(size: int, *, checked: bool) -> Run:
    """Return what finds the override of each of n objects, or an override that names none."""
    plan = _deleted_plan(size)
    named = Overrides(allow_booked=tuple(str(change.address) for change in plan.changes))
    if checked:
        return partial(named.unmatched, [change.address for change in plan.changes])
    return partial(judge, Case(plan=plan, policy=Policy(), overrides=named, others={}, manifests_at=WHERE))


def _ignored(size: int) -> Run:
    """Return what finds the entry of each of n changed objects."""
    drifted = _drift(size, missing=False)()
    entries = [
        DriftIgnore(address=str(item.address), field="group", reason="r", until=None, where=WHERE) for item in drifted
    ]
    return partial(ignored, drifted, entries, "2027-01-01")


def _slots_plan(size: int):
    days = [f"{2027 + n // 336}-{1 + n // 28 % 12:02}-{1 + n % 28:02}" for n in range(size)]
    item = session("one", slots=[{"date": day, "time": "11:00", "duration": 60} for day in days], repeat="custom")
    old = session("one", slots=[{"date": day, "time": "12:00", "duration": 60} for day in days], repeat="custom")
    return planning([item], [_record(7, old)], {SESSIONS: _reading([_live(7, old)])})


def _plan_text(make, size: int) -> Run:
    plan = make(size)
    plan = plan() if callable(plan) else plan
    return lambda: text.plan(Console(file=StringIO(), width=100), plan, text.Look(verbose=True))


def _plan_page(form, make, size: int) -> Run:
    plan = make(size)
    plan = plan() if callable(plan) else plan
    return (lambda: html.plan(plan, "sha256:0")) if form is html else (lambda: form.plan(plan))


def _failures(form, size: int) -> Run:
    plan = _new(size)()
    outcomes = tuple(
        Outcome(address=change.address, action=change.action, state="failed", error="500: no", calls=1)
        for change in plan.changes
    )
    report = Report(plan_digest="sha256:0", outcomes=outcomes)
    if form is text:
        return lambda: text.report(Console(file=StringIO(), width=100), report, plan)
    return lambda: form.report(report, plan)


STAGES: dict[str, Callable[[int], Run]] = {
    "n new": _new,
    "n unadopted twins": _twins,
    "n classes of one name": _one_name,
    "n look-alikes": _look_alikes,
    "n look-alikes of n times without times": lambda n: _look_alikes(n, timed=True, time=None),
    "n new beside n managed": _new_beside_managed,
    "n new of the name of n managed": lambda n: _new_like_managed(n, live={}),
    "n new of the name and time of n managed": lambda n: _new_like_managed(n, live={}, timed=False),
    "n new of the name of n managed without times": lambda n: _new_like_managed(n, live={"time": None}),
    "n new beside n managed unreadable": lambda n: _new_like_managed(n, live={}, unread=True),
    "n connections": _many_connections,
    "n unreadable strangers": _unreadable,
    "n changed": _all_changed,
    "n deletes and n creates": _renamed,
    "n deletes": lambda size: partial(_deleted_plan, size),
    "n moved_from": _moves,
    "n moves applied": _applied_moves,
    "n former names": _former_names,
    "chain of n dependencies": _chain,
    "n blocks of one resource": _star,
    "slots of one day without times": lambda n: _slots(n, times=False, same_day=True, moved=0),
    "slots of another day without times": lambda n: _slots(n, times=False, same_day=True, moved=1),
    "slots of one day moved": lambda n: _slots(n, times=True, same_day=True, moved=n),
    "slots of n days moved": lambda n: _slots(n, times=True, same_day=False, moved=n),
    "slots replaced": _slots_replaced,
    "plan of n slots": _slots_plan,
    "n references exchanged": _exchanged,
    "n references passed on": _passed_on,
    "n owners of one reference": _one_reference,
    "n resources of one address": _shared_address,
    "n resources of one address and n strangers": lambda n: _shared_address(n, managed=False),
    "n resources that contradict each other": lambda n: _shared_address(n, apart=True),
    "n interrupted creates": _lost_creates,
    "n interrupted creates that left nothing": lambda n: _lost_creates(n, found=False),
    "n interrupted creates of one natural key": lambda n: _lost_creates(n, alike=""),
    "n interrupted creates that a value tells apart": lambda n: _lost_creates(n, alike="price"),
    "n interrupted creates of values that no answer has": lambda n: _lost_creates(n, alike="price", price=""),
    "n possible duplicates of one name": _suspects,
    "n unknown objects of the name of n managed": lambda n: _suspects(n, apart=True),
    "n possible results of n doubts": lambda n: _suspects(n, doubtful=True),
    "n held bookings refused by the server": _refused,
    "adopt n": lambda n: _adopting(n, same=False, found=True),
    "adopt n of one name": lambda n: _adopting(n, same=True, found=True),
    "adopt n without a match": lambda n: _adopting(n, same=False, found=False),
    "adopt n similar": lambda n: _adopting(n, same=True, found=False),
    "adopt n by annotation": _claimed,
    "export n equal names": _exported,
    "drift of n": lambda n: _drift(n, missing=False),
    "drift of n missing": lambda n: _drift(n, missing=True),
    "guards of n deletes": _guards,
    "n overrides of n deletes": lambda n: _allowed(n, checked=False),
    "n overrides checked": lambda n: _allowed(n, checked=True),
    "n ignored changes": _ignored,
    "text of n": lambda n: _plan_text(_new, n),
    "text of n deletes": lambda n: _plan_text(_deleted_plan, n),
    "text of n slots": lambda n: _plan_text(_slots_plan, n),
    "markdown of n deletes": lambda n: _plan_page(markdown, _deleted_plan, n),
    "markdown of n slots": lambda n: _plan_page(markdown, _slots_plan, n),
    "html of n slots": lambda n: _plan_page(html, _slots_plan, n),
    "report of n failures": lambda n: _failures(text, n),
    "report of n failures, markdown": lambda n: _failures(markdown, n),
    "report of n failures, html": lambda n: _failures(html, n),
}
