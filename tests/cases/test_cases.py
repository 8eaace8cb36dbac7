"""Runs every case in the folders beside this file: one YAML file, one object, one plan.

about: one sentence for people
manifest: {spec: {...}, protect: true, connection: name}   # left out: no manifest declares it
applied: {id: "12", fields: {...}, protect: true, computed: {...}}  # left out: not managed
live: {id: "12", fields: {...}}       # null: proved gone; a list: several objects; left out: none
                                      # shared: {field: {id: name}} or {field: why that is not known}
unreadable: why                       # instead of live: it could not be read
expired: why                          # instead of live: it is over by itself
interrupted: [{...fields}]            # creations whose result was never recorded
managed: {Resource/court-1: "77"}     # other objects of the project, for references
destroying: true
now: "2027-01-01T12:00:00Z"           # left out: noon of the day of interrupted creations
today: 2027-01-01                     # left out: no day is past
expect:
  action: update
  fields: [[path, before, after], [path, before, after, drift, unverified]]
  calls: [PUT /api/sessions/12.xml]   # or {call: ..., body: {...}, reads: [...]}
  risks: [[code, level, {slots: [...], booked: 4, reserved: 1}]]
  record: [protect]                   # what it alters of what is remembered, except what follows from its calls
  defaults: {field: value}            # what the API sets; left out: not checked
  problems: [code]                    # and `reason`: text that the reason holds
"""

import re
from pathlib import Path
from typing import ClassVar

import pytest
import yaml

from reconciler.engine.impact import Bookings
from reconciler.engine.plan import decide_all, make_plan
from reconciler.engine.snapshot import Snapshot
from reconciler.engine.world import World
from reconciler.model.canonical import plain
from reconciler.model.change import ACTIONS
from reconciler.model.objects import Address, Desired, Intent, Live, Reading, Record, Ref, SourceRef, Users
from reconciler.registry import kinds, providers
from reconciler.settings import Connection

HERE = Path(__file__).parent
KINDS = {name.lower(): kind for name, kind in kinds().items()}
WHERE = SourceRef("case.yaml", 1)
BASES = {"bookingbug-sessions": "https://uk.bookingbug.com", "bookingbug-admin": "https://acme.bookingbug.com"}


class CaseLoader(yaml.SafeLoader):
    """Reads plain scalars as manifests do: a time or a date is text; a key stands once."""

    yaml_implicit_resolvers: ClassVar[dict] = {}

    def construct_mapping(self, node, deep=False):
        keys = [key.value for key, _ in node.value]
        assert len(keys) == len(set(keys)), f"a key stands twice: {keys}"
        return super().construct_mapping(node, deep=deep)


for tag, pattern, first in (
    ("null", "null|~|", ["n", "~", ""]),
    ("bool", "true|false", list("tf")),
    ("int", "-?(0|[1-9][0-9]*)", list("-0123456789")),
    ("float", r"-?(0|[1-9][0-9]*)\.[0-9]+", list("-0123456789")),
):
    CaseLoader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{pattern})$"), first)


def connection(name, provider):
    settings = providers()[provider].settings.parse({"company_id": 37004})
    base_url = BASES.get(provider, "https://cases.example")
    return Connection(name=name, provider=provider, base_url=base_url, where=WHERE, settings=settings)


def canonical(kind, spec):
    """Canonical fields of a manifest's spec, with references."""
    fields = dict(kind.canonical(spec))
    for reference in kind.references:
        if reference.spec_field in spec:
            fields[reference.field] = Ref(Address(reference.kind, spec[reference.spec_field]))
    return fields


def declared(kind, address, manifest):
    fields = canonical(kind, manifest["spec"])
    return Desired(
        address=address,
        connection=manifest.get("connection", "main"),
        fields=fields,
        source=WHERE,
        depends_on=tuple(value.target for value in fields.values() if isinstance(value, Ref)),
        protect=manifest.get("protect", False),
    )


def shared(stated):
    return {name: Users(failure=who) if isinstance(who, str) else Users(names=who) for name, who in stated.items()}


def reading(kind, case):
    live = case.get("live") or []
    found = {
        item["id"]: Live(remote_id=item["id"], fields=item["fields"], shared=shared(item.get("shared", {})))
        for item in (live if isinstance(live, list) else [live])
    }
    known = {case["applied"]["id"]} if "applied" in case else set()
    if "unreadable" in case:
        failure = None if known else case["unreadable"]
        return Reading(unreadable=dict.fromkeys(known, case["unreadable"]), failure=failure)
    if "expired" in case:
        return Reading(expired=dict.fromkeys(known, case["expired"]))
    return Reading(live=found, absent=frozenset(known - set(found)), listed=frozenset(found))


def plan(case, kind):
    address = Address(kind.name, "it")
    connections = {name: connection(name, kind.provider) for name in ("main", "other")}
    where = {"connection": "main", "target": connections["main"].target}
    records = {
        Address.parse(text): Record(address=Address.parse(text), remote_id=remote_id, fields={}, **where)
        for text, remote_id in case.get("managed", {}).items()
    }
    if "applied" in case:
        applied = case["applied"]
        needs = declared(kind, address, case["manifest"]).depends_on if "manifest" in case else ()
        more = {"protect": applied.get("protect", False), "computed": applied.get("computed", {}), "depends_on": needs}
        records[address] = Record(address=address, remote_id=applied["id"], fields=applied["fields"], **more, **where)
    intents = tuple(
        Intent(run_id="r", address=address, effect="create", fields=fields, started_at="2027-01-01T00:00:00Z", **where)
        for fields in case.get("interrupted", [])
    )
    world = World(
        desired={address: declared(kind, address, case["manifest"])} if "manifest" in case else {},
        records=records,
        intents={address: intents},
        selected=frozenset({address}),
        kinds=kinds(),
        providers=providers(),
        connections=connections,
        destroying=case.get("destroying", False),
        now=case.get("now", "2027-01-01T12:00:00Z"),
        today=case.get("today", ""),
    )
    nothing = Reading(listed=frozenset())
    snapshot = Snapshot(readings={("main", kind.name): reading(kind, case), ("other", kind.name): nothing})
    return make_plan(world, decide_all(world, snapshot), Bookings())


def told_field(item):
    words = ["drift"] * (item.origin == "drift") + ["unverified"] * (not item.verifiable)
    return [item.path, plain(item.before), plain(item.after), *words]


def told_risk(item):
    more = {"slots": list(item.slots), "booked": item.booked, "reserved": item.reserved}
    return [
        item.code,
        item.level,
        *([{key: value for key, value in more.items() if value}] if any(more.values()) else []),
    ]


def told_calls(calls, expected):
    """The calls as the case states them: with a body and the reads before it where it states them."""
    stated = [set(item) if isinstance(item, dict) else set() for item in expected] + [set()] * len(calls)
    told = []
    for call, names in zip(calls, stated, strict=False):
        facts = {"call": f"{call.method} {call.path}", "body": plain(call.body), "reads": list(call.reads)}
        told.append({name: facts[name] for name in names} if names else facts["call"])
    return told


CASES = sorted(HERE.glob("*/*.yaml"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_case(path):
    case = yaml.load(path.read_text(encoding="utf-8"), Loader=CaseLoader)
    expect = case["expect"]
    made = plan(case, KINDS[path.parent.name.replace("_", "")])
    (change,) = made.changes
    assert change.action == expect["action"], change.reason
    assert [told_field(item) for item in change.fields] == expect.get("fields", [])
    assert told_calls(change.calls, expect.get("calls", [])) == expect.get("calls", [])
    assert [told_risk(item) for item in change.risks] == expect.get("risks", [])
    assert [item.code for item in made.problems] == expect.get("problems", [])
    told_defaults = {item.path: item.rule or item.value for item in change.defaults}
    assert told_defaults == expect.get("defaults", told_defaults)
    assert list(change.remembers) == expect.get("record", [])
    assert expect.get("reason", "") in change.reason


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_case_states_nothing_that_nobody_reads(path):
    known = {"about", "manifest", "applied", "live", "unreadable", "expired", "interrupted", "managed", "destroying"}
    case = yaml.load(path.read_text(encoding="utf-8"), Loader=CaseLoader)
    assert set(case) <= known | {"now", "today", "expect"}
    assert set(case["expect"]) <= {"action", "fields", "calls", "risks", "problems", "reason", "record", "defaults"}
    assert case["about"]


def test_every_kind_has_cases():
    assert {path.parent.name.replace("_", "") for path in CASES} == set(KINDS)


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_has_a_case(action):
    found = {yaml.load(path.read_text(encoding="utf-8"), Loader=CaseLoader)["expect"]["action"] for path in CASES}
    assert action in found
