"""What commands do beside planning: documents, pages, drift and its acceptance, the state, reading blocks."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

sys.path += [str(Path(__file__).parent), str(Path(__file__).parents[2] / "support")]

from engine import Run, _deleted_plan, _live, _new, _reading, _record, _sessions, _slots_plan, planning
from engine_fakes import KINDS, WHERE, Office, block, resource, session
from rich.console import Console

from reconciler.documents import codec
from reconciler.documents.load import load_document
from reconciler.engine.environments import Side, compare_objects
from reconciler.engine.ledger import Memory
from reconciler.engine.moves import unknown_removals
from reconciler.engine.overrides import Overrides
from reconciler.engine.stale import reasons
from reconciler.manifests.edit import Put, edited
from reconciler.manifests.revise import revise
from reconciler.model.decision import Decision
from reconciler.model.objects import Address, Problem, Scope
from reconciler.model.report import Drift, Drifted, Outcome, Report
from reconciler.model.sighting import DriftedField, Sighting
from reconciler.operations import drift as drifting
from reconciler.operations import plan as planner
from reconciler.operations import unmanaged
from reconciler.operations.project import Declared
from reconciler.providers.bookingbug_admin import block_wire
from reconciler.providers.bookingbug_admin.blocks import read_blocks
from reconciler.providers.bookingbug_admin.reader import Listing
from reconciler.providers.bookingbug_sessions.provider import _Listing
from reconciler.render import html, markdown, text
from reconciler.state.store import Store

SESSIONS = ("sessions", "Session")


def _updates(size: int):
    """Return a plan in which every object changes in its own way."""
    items = [session(f"class-{n}", description=f"Text {n}", price=f"{n}.00") for n in range(size)]
    lives = [_live(1000 + n, item, description=f"Old {n}", price="0.50") for n, item in enumerate(items)]
    return planning(items, [_record(1000 + n, item) for n, item in enumerate(items)], {SESSIONS: _reading(lives)})()


def _drift(size: int) -> Drift:
    fields = (DriftedField(path="price", before="10.00", after="12.00", origin="drift"),)
    return Drift(
        objects=tuple(
            Drifted(address=Address("Session", f"s-{n}"), status="changed", fields=fields, shown_id=str(n))
            for n in range(size)
        )
    )


def _report(plan) -> Report:
    outcomes = (Outcome(address=item.address, action=item.action, state="applied", calls=1) for item in plan.changes)
    return Report(plan_digest="sha256:0", outcomes=tuple(outcomes))


def _document(size: int) -> Run:
    plan = _updates(size)
    return lambda: codec.dumps(codec.plan_document(plan))


def _loaded(size: int) -> Run:
    document = codec.dumps(codec.plan_document(_updates(size)))
    return lambda: load_document(document)


def _compact(size: int) -> Run:
    plan = _updates(size)
    return lambda: text.plan(Console(file=StringIO(), width=100), plan, text.Look(compact=True))


def _compared(size: int) -> Run:
    plan = _updates(size)
    return lambda: reasons(plan, plan)


def _office(size: int, **live) -> tuple[Office, Declared]:
    """Return a project with managed sessions, and blocks of one resource, which exist as declared but for `live`."""
    office = Office()
    office.settings = {}
    room = resource("room")
    items = [room, *_sessions(size // 2), *(_block(n) for n in range(size // 2))]
    ids = {"Session": iter(range(1000, 10**6)), "Resource": iter([7]), "Block": iter(range(10**6, 10**7))}
    for item in items:
        number = next(ids[item.address.kind])
        fields = {**item.fields, "resource_id": "7"} if item.address.kind == "Block" else item.fields
        office.remote.put(item.address.kind, {**fields, **live.get(item.address.kind, {})}, str(number))
        office.store.save(_record(number, item))
    desired = {item.address: item for item in items}
    return office, Declared(desired=desired, problems=(), files=1, documents=1)


def _block(number: int):
    day = f"2027-{3 + number // 560 % 9:02}-{1 + number // 20 % 28:02}"
    return block(f"b-{number}", "room", f"{day}T{number % 20:02}:00Z", f"{day}T{number % 20 + 1:02}:00Z")


def _drifted(size: int) -> Run:
    office, declared = _office(size, Session={"group": "Other"})
    return lambda: drifting.drift(office, None, declared, record=False)


def _unmanaged(size: int) -> Run:
    """Look which of n live objects are managed, where n are."""
    office, _ = _office(size)
    lives = [_live(1000 + n, item) for n, item in enumerate(_sessions(size))]

    def run() -> object:
        managed = unmanaged._managed(office)
        managed = managed if isinstance(managed, dict) else list(managed)
        return [unmanaged._is_managed(office, SESSIONS, live, managed) for live in lives]

    return run


def _again(size: int) -> Run:
    """Choose n objects of 2 n by name, as the look before an apply does."""
    office, declared = _office(2 * size)
    names = tuple(f"Session/class-{n}" for n in range(size))
    memory = planner.remembered(office.store)
    options = {"destroying": False}
    return lambda: planner._world(office, declared, planner.Selection(), names, memory, **options)


def _decided(size: int) -> Run:
    decisions = tuple(Decision(address=f"Session/s-{n}", **_BY) for n in range(size))
    found = Overrides(decisions=decisions)
    address = [Address("Session", f"s-{n}") for n in range(size)]

    def run() -> object:
        if isinstance(mapping := _call(found.decided), dict):
            return [mapping.get(str(each)) for each in address]
        return [found.decided(each) for each in address]

    return run


def _call(work: Callable[[], object]) -> object:
    try:
        return work()
    except TypeError:  # an older checkout asks for each address
        return None


_BY = dict.fromkeys(name for name in Decision.__dataclass_fields__ if name != "address")


def _edits(size: int) -> Run:
    """Change the n slots of one session in the text of its manifest."""
    slots = "".join(f"    - {{date: 2027-03-{1 + n % 28:02}, time: '11:00'}}\n" for n in range(size))
    manifest = f"kind: Session\nspec:\n  slots:\n{slots}"
    steps = [Put(path=("spec", "slots", n, "time"), value="12:00") for n in range(size)]
    return lambda: edited(manifest, 1, steps)


def _days(size: int, time: str) -> list[dict]:
    return [{"date": f"{2027 + n // 336}-{1 + n // 28 % 12:02}-{1 + n % 28:02}", "time": time} for n in range(size)]


def _revised(size: int) -> Run:
    """Find the steps from n slots to the same without one."""
    old = _days(size, "11:00")
    return lambda: list(revise(old, old[1:], ("spec", "slots"), dict, old))


def _windows(size: int) -> Run:
    blocks = [_block(n).fields for n in range(size)]
    return partial(block_wire.windows, blocks, {})


def _owners(size: int) -> Run:
    """Read n blocks of as many resources that the server only hints at."""
    rows = {str(n): _row(n) for n in range(size)}

    def collection(_name: str, params, **_) -> Listing:
        owner = params.get("resource_id")
        return Listing(rows=rows if owner is None else {owner: rows[owner]})

    reader = SimpleNamespace(public=False, collection=collection, missing=lambda *_: {})
    known = {str(n): _block(n).fields for n in range(size)}
    scope = Scope(kind="Block", whole=True, ids={}, wanted=tuple(known.values()))
    return lambda: read_blocks(reader, scope)


def _row(number: int) -> dict:
    fields = _block(number).fields
    return {"id": number, "status": 3, "person_id": number, "datetime": fields["start"], "end_datetime": fields["end"]}


def _stored(size: int, *, dependent: bool = False) -> Store:
    store = Store("sqlite://", project="acme")
    target = (Address("Resource", "room"),) if dependent else ()
    for number, item in enumerate(_sessions(size)):
        store.save(_record(1000 + number, item, **({"depends_on": target} if dependent else {})))
    return store


def _listed(size: int) -> Run:
    """Search n sessions of which the list answers no group."""
    listing = _Listing(named={str(n): {"name": f"class-{n}"} for n in range(size)})
    wanted = [{"name": f"other-{n}", "group": "g"} for n in range(size)]
    return lambda: listing.look_alikes(wanted)


def _strangers(size: int) -> Run:
    """Read n blocks beside n others of the same times that are not managed."""
    rows = {str(n): {**_row(n), "resource_id": 7} for n in range(2 * size)}
    reader = SimpleNamespace(public=False, collection=lambda *_, **__: Listing(rows=rows), missing=lambda *_: {})
    known = {str(n): {**_block(n).fields, "resource_id": "7"} for n in range(size)}
    similar = tuple({**_block(n).fields, "resource_id": "7"} for n in range(size))
    scope = Scope(kind="Block", ids=known, similar=similar, familiar=frozenset(known))
    return lambda: read_blocks(reader, scope)


def _replaced(size: int) -> Run:
    """Delete n equal sessions, and create as many under other addresses."""
    old = [session(f"old-{n}", name="Yoga") for n in range(size)]
    new = [session(f"new-{n}", name="Yoga") for n in range(size)]
    lives = [_live(1000 + n, item) for n, item in enumerate(old)]
    records = [_record(1000 + n, item) for n, item in enumerate(old)]
    return planning(new, records, {SESSIONS: _reading(lives)})


def _removals(size: int) -> Run:
    """Name n objects as removed that were never managed, while n others are deleted."""
    records = {Address("Session", f"class-{n}"): _record(n, item) for n, item in enumerate(_sessions(size))}
    removed = {Address("Session", f"clas-{n}"): WHERE for n in range(size)}
    return lambda: list(unknown_removals(removed, Memory(records=records), ()))


def _environments(size: int) -> Run:
    records = {item.address: _record(n, item) for n, item in enumerate(_sessions(size))}
    desired = {item.address: item for item in _sessions(size, description="New")}
    side = Side.of(desired, Memory(records=records))
    return lambda: compare_objects(side, side, KINDS)


def _refused(size: int) -> Run:
    """Show a plan of n changes that guards refuse, each for a reason of its own."""
    plan = _new(size)()
    problems = (
        Problem(
            code="guard-x" if n % 2 else "looks-renamed", severity="warning", summary=f"why {n}", address=item.address
        )
        for n, item in enumerate(plan.changes)
    )
    plan = replace(plan, problems=tuple(problems))
    return lambda: markdown.plan(plan)


def _records(size: int) -> Run:
    return _stored(size).records


def _renamed(size: int) -> Run:
    store = _stored(size)
    names = iter(range(10**6))
    old = [Address("Session", f"class-{size - 1}")]

    def run() -> None:
        new = Address("Session", f"moved-{next(names)}")
        store.rename(old.pop(), new)
        old.append(new)

    return run


def _sightings(size: int) -> Run:
    store = _stored(size)
    days = iter(range(10**6))

    def run() -> object:
        seen = Sighting(since=f"2027-01-01T00:00:{next(days):02}Z", applied="10.00", live="12.00", run_id="r")
        found = {Address("Session", f"class-{n}"): {"price": (seen,)} for n in range(size)}
        return store.outside.update_sightings(lambda _: found)

    return run


def _moved_state(size: int) -> Run:
    contents = _stored(size).contents()
    return lambda: Store("sqlite://", project="acme").receive(contents)


def _page(form, make, size: int) -> Run:
    plan = make(size)
    plan = plan() if callable(plan) else plan
    return (lambda: html.plan(plan, "sha256:0")) if form is html else (lambda: form.plan(plan))


def _report_page(form, size: int) -> Run:
    plan = _updates(size)
    report = _report(plan)
    return lambda: form.report(report, plan)


def _drift_page(form, size: int) -> Run:
    found = _drift(size)
    return lambda: form.drift(found)


STAGES: dict[str, Callable[[int], Run]] = {
    "document of n updates": _document,
    "document of n updates, read": _loaded,
    "text of n updates, compact": _compact,
    "markdown of n creates": lambda n: _page(markdown, _new, n),
    "markdown of n updates": lambda n: _page(markdown, _updates, n),
    "html of n creates": lambda n: _page(html, _new, n),
    "html of n updates": lambda n: _page(html, _updates, n),
    "html of n deletes": lambda n: _page(html, _deleted_plan, n),
    "report of n updates, markdown": lambda n: _report_page(markdown, n),
    "report of n updates, html": lambda n: _report_page(html, n),
    "drift of n, markdown": lambda n: _drift_page(markdown, n),
    "drift of n, html": lambda n: _drift_page(html, n),
    "document of n slots": lambda n: partial(codec.plan_document, _slots_plan(n)()),
    "saved plan of n compared": _compared,
    "drift of n declared": _drifted,
    "n live, n managed": _unmanaged,
    "n touched of 2 n": _again,
    "n decisions": _decided,
    "n slots edited in a file": _edits,
    "n slots revised": _revised,
    "windows of n blocks": _windows,
    "owners of n blocks": _owners,
    "n listed without a group": _listed,
    "n blocks beside n others": _strangers,
    "n equal sessions renamed": _replaced,
    "n unknown removals, n deletes": _removals,
    "n objects of two environments": _environments,
    "markdown of n refusals": _refused,
    "records of n": _records,
    "rename one of n": _renamed,
    "sightings of n": _sightings,
    "state of n moved": _moved_state,
}
