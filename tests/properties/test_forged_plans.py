"""A saved plan that anybody changed in any way sends nothing that a new plan would not, or is refused."""

from __future__ import annotations

import copy
import json
from contextlib import suppress

import pytest
from engine_fakes import Office, block, resource, session
from hypothesis import assume, given
from hypothesis import strategies as st

import reconciler
from reconciler.documents import codec
from reconciler.documents.load import load_plan
from reconciler.documents.reader import read
from reconciler.documents.signature import content_digest
from reconciler.errors import ReconcilerError, StalePlan
from reconciler.model.plan import Plan
from reconciler.settings import Secret

SLOTS = [{"date": f"2027-03-{day:02d}", "time": "18:00", "duration": 60} for day in (1, 8)]
BEFORE = (
    session("yoga", repeat="custom", slots=SLOTS, spaces=9),
    session("swim"),
    session("gone"),
    session("drifted", spaces=5),
    resource("court"),
    resource("court-2", protect=True),
    block("closed", "court"),
)
AFTER = (
    session("yoga", repeat="custom", slots=SLOTS, spaces=9, price="40"),
    session("swim"),
    session("new"),
    session("drifted", spaces=5),
    resource("court", description="new floor"),
    resource("court-2"),
    block("closed", "court"),
    block("closed-2", "court-2"),
)
KEY = "0123456789abcdef" * 4


def made(**chosen):
    office = Office()
    office.apply(*BEFORE)
    next(item for item in office.live["Session"].values() if item["name"] == "drifted")["spaces"] = 4
    return office, office.look(*AFTER, **chosen)


OFFICE, PLANNED = made()
DOCUMENT = codec.plan_document(PLANNED.plan)
SEALED = codec.plan_document(PLANNED.plan, Secret(KEY))
NARROW = codec.plan_document(OFFICE.plan(*AFTER, targets=("Session/yoga",)))


def sent(plan):
    """Return everything that applying a plan does."""
    calls = [(call.method, call.path, repr(call.body)) for change in plan.effective for call in change.calls]
    return sorted(calls), sorted((str(item.address), item.remembers) for item in plan.effective)


def places(value, path=()):
    """Return every path of a document, each mapping and list included."""
    yield path
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in members:
        yield from places(item, (*path, key))


def forge(document, path, draw):
    """Change, remove, repeat or reorder what is at a path."""
    document = copy.deepcopy(document)
    *before, last = path
    parent = document
    for step in before:
        parent = parent[step]
    value = parent[last]
    match draw(st.sampled_from(["replace", "remove", "repeat", "reorder", "borrow"])):
        case "replace":
            words = st.text(max_size=9) | st.sampled_from(["destroy", "delete", "Session/swim", "admin", "999"])
            parent[last] = draw(st.none() | st.booleans() | st.integers(-3, 99) | words | st.just([]) | st.just({}))
        case "remove":
            del parent[last]
        case "repeat" if isinstance(parent, list):
            parent.insert(draw(st.integers(0, len(parent))), copy.deepcopy(value))
        case "reorder" if isinstance(value, list):
            parent[last] = draw(st.permutations(value))
        case _:
            siblings = list(parent.values()) if isinstance(parent, dict) else parent
            parent[last] = copy.deepcopy(draw(st.sampled_from(siblings)))
    return document


def consistent(document):
    """Compute again what a forger can: the totals, and the digest."""
    with suppress(Exception):  # a document that cannot be read is refused in any case
        totals = codec.plan_document(read(document, Plan))
        document = {**document, "summary": totals["summary"], "bookings": totals["bookings"]}
    with suppress(Exception):
        document = {**document, "digest": content_digest(document)}
    return document


def outcome(document):
    """Return what a document makes a run do, None where it is refused."""
    try:
        saved = load_plan(json.dumps(document))
        return sent(reconciler.plan_again(OFFICE, PLANNED.declared, saved).plan)
    except ReconcilerError:
        return None


@given(st.data())
def test_a_forged_plan_does_what_a_new_plan_does_or_nothing(data):
    document = data.draw(st.sampled_from([DOCUMENT, NARROW]))
    path = data.draw(st.sampled_from([path for path in places(document) if path]))
    forged = consistent(forge(document, path, data.draw))
    selection = forged.get("selection")
    done = outcome(forged)
    if done is not None:
        fresh = OFFICE.plan(*AFTER, targets=tuple(selection["targets"]), excludes=tuple(selection["excludes"]))
        assert done == sent(fresh)


@given(st.data())
def test_with_a_key_every_change_of_a_plan_is_refused(data):
    path = data.draw(st.sampled_from([path for path in places(SEALED) if path]))
    forged = consistent(forge(SEALED, path, data.draw))
    assume(json.dumps(forged, sort_keys=True) != json.dumps(SEALED, sort_keys=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECONCILER_PLAN_KEY", KEY)
        assert outcome(SEALED) == sent(PLANNED.plan)
        assert outcome(forged) is None


@pytest.mark.parametrize("address", [str(change.address) for change in PLANNED.plan.changes])
def test_a_change_that_was_taken_out_is_missed(address):
    """Also one that does nothing: it says that a person saw it."""
    forged = copy.deepcopy(DOCUMENT)
    forged["changes"] = [item for item in forged["changes"] if item["address"] != address]
    with pytest.raises(StalePlan) as caught:
        reconciler.plan_again(OFFICE, PLANNED.declared, load_plan(json.dumps(consistent(forged))))
    assert [reason.partition(":")[0] for reason in caught.value.reasons] == [address]


@pytest.mark.parametrize(
    "address", [str(item.address) for item in PLANNED.plan.effective if str(item.address) != "Session/drifted"]
)
def test_a_change_that_was_made_to_look_like_none_is_missed(address):
    """All but the one that can have happened outside since, which is left out with a warning."""
    forged = copy.deepcopy(DOCUMENT)
    item = next(item for item in forged["changes"] if item["address"] == address)
    item.update(action="noop", fields=[], calls=[], risks=[], live=None)
    item.pop("record", None)
    item.pop("forget", None)
    with pytest.raises(StalePlan) as caught:
        reconciler.plan_again(OFFICE, PLANNED.declared, load_plan(json.dumps(consistent(forged))))
    assert [reason.partition(":")[0] for reason in caught.value.reasons] == [address]


def test_a_plan_to_destroy_is_refused_whatever_its_digest():
    planned = OFFICE.look(*AFTER, destroying=True)
    assert planned.plan.summary["delete"] == 7
    with pytest.raises(StalePlan, match="never applied"):
        reconciler.plan_again(OFFICE, planned.declared, load_plan(codec.dump_plan(planned.plan)))
    forged = consistent({**DOCUMENT, "purpose": "destroy"})
    with pytest.raises(StalePlan, match="never applied"):
        reconciler.plan_again(OFFICE, PLANNED.declared, load_plan(json.dumps(forged)))
